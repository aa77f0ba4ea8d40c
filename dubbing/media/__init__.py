"""Sound and film: reading, measuring and writing. Only the module `ffmpeg` runs ffmpeg."""
