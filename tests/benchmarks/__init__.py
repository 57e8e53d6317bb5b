"""Benchmarks of speed, memory and depth: `python -m tests.benchmarks` prints tables."""
