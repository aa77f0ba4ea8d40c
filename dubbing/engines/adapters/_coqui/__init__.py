"""Code that the engines of coqui-tts share."""
