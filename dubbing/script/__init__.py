"""The files that people hand in: manifests, lists and folders of them, and subtitles."""
