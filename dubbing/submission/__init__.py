"""Submission: inspects a job's files, checks the job, stores it and starts it."""
