"""The text of a line: its characters, its sentences, and the words in which it is spoken.

Import `characters`, `sentences` and `wording` by name: their language tables are too heavy for this
package's face.
"""
