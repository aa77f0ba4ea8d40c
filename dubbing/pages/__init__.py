"""The parts of pages: the files that a gateway serves, and pages in one file."""
