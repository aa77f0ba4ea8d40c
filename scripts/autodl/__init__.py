"""Starting, using and stopping rented AutoDL cards from an installation at home."""
