"""What the processes tell of themselves: their logs."""
