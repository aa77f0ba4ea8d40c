"""Webhooks: the receivers of the ends of a tenant's jobs, and the messages still to be sent."""
