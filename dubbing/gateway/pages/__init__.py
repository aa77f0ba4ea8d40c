"""The pages for people: their addresses, and a shell for each."""
