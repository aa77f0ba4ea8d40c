"""Sound and film: reading, measuring and writing them. Only `ffmpeg` runs the program ffmpeg."""
