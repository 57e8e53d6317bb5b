"""A graph as a drawing, and what a notebook shows."""
