"""The built-in engines, one a file; found by entry point, as everybody's engines are."""
