"""Voices: made of recordings or cut from a film, stored under names, and derived for engines."""
