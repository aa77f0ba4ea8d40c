"""Benchmarks, run by `scripts/bench`. A real package, as pysbd installs one of the same name."""
