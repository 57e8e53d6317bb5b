"""The engine: Values, the table of operations, and the backward pass. Start with `ops.py`."""
