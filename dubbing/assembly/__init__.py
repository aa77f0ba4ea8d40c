"""The clips of a job become its film, its sound, its subtitles and its report."""
