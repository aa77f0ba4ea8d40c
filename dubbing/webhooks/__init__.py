"""Webhooks: URLs that are notified when a tenant's jobs end, and the unsent messages."""
