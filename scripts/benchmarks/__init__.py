"""Benchmarks, run by `scripts/bench`. A package, as pysbd brings another one of this name."""
