"""How a network is trained, and what is kept of it."""
