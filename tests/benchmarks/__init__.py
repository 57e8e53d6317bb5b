"""How fast, how small and how deep: `python -m tests.benchmarks` prints a table."""
