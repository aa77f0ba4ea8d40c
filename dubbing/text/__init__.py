"""The text of a line: its characters, its sentences, and the words in which it is spoken.

Others import `characters`, `sentences` and `wording`; tables of languages make them too heavy for
this face.
"""
