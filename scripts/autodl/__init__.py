"""Rented AutoDL cards, as an installation at home starts, uses and stops them."""
