"""The built-in engines, one file each, found by entry point as engines of other packages are."""
