"""The built-in engines, one file each, found by entry point like engines of other packages."""
