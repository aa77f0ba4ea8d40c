"""The text of a line: its characters, its sentences, and the words in which it is spoken.

Import the modules `characters`, `sentences` and `wording` directly: their language tables are too
heavy to load here.
"""
