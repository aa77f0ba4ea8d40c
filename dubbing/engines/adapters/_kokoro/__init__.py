"""How Kokoro reads its languages."""
