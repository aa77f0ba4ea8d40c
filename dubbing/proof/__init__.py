"""What shows that a line is right: the speaker who is heard in it."""
