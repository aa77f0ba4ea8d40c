"""The built-in engines, one file each, found by entry points like engines of other packages."""
