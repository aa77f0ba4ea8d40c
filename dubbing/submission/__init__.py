"""Taking jobs in: files are inspected, jobs checked, and then stored and put to work."""
