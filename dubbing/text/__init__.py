"""The text of a line: its characters, its sentences, and the words in which it is spoken.

Import the modules `characters`, `sounds`, `sentences` and `wording` by name: language tables are too
heavy for this package's face.
"""
