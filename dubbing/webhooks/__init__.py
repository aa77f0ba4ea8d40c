"""Webhooks: whom a tenant wants told of the ends of its jobs, and what is still to be told."""
