"""The Redis and the workers that `dubbing run` and `dubbing up` start."""
