"""What the engines of coqui-tts are made of."""
