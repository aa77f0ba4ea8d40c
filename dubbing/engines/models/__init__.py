"""The models of engines: their folders, fetching them, and the state they are in."""
