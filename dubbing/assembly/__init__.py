"""Assembly: turns the clips of a job into its film, sound, subtitles and report."""
