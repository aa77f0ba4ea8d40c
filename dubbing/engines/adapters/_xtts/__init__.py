"""The networks of XTTS."""
