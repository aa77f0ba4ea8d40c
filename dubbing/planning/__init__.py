"""Planning: checks jobs, assigns engines and voices to lines, forms batches, reads results."""
