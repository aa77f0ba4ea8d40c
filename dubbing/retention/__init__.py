"""What storage no longer needs is found and removed: by rules of age and size, and by reference."""
