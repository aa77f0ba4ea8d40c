"""The models of engines: where they are, how to fetch them, and what state they are in."""
