"""What will be spoken, by whom and in which batch, what is wrong with it, and what became of it."""
