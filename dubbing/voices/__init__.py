"""Voices: made from recordings or cut from a film, stored by name, and prepared for engines."""
