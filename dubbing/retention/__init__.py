"""Finding and removing unneeded objects of storage: by rules of age and size, and by reference."""
