"""The engine: Values, the table of operations, and the backward pass.

Read `ops.py`, `value.py`, `graph.py`, `backprop.py`, `sequences.py` and `modes.py`, in this order.
The other files are helpers. No file here imports another part of the package.
"""
