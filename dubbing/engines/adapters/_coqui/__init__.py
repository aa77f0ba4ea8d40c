"""Shared by the engines of coqui-tts."""
