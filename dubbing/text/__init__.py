"""The text of a line: its characters, its sentences, and the words in which it is spoken.

Import `characters`, `sounds`, `sentences` and `wording` by name: their tables are too heavy
for this face.
"""
