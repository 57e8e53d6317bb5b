"""Tools for learners: step through the backward pass, explain gradients, and check them."""
