"""The life of a job: its rounds, the work on its batches, its end, its status and its outputs."""
