"""What XTTS is made of."""
