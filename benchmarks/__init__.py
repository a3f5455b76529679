"""Measurements of the real pipeline: `make bench` prints a table and writes `benchmarks/results/latest.json`."""
