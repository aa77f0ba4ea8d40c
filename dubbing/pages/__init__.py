"""What pages for people are made of: the files that a gateway serves, and pages in one file."""
