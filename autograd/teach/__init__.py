"""The backward pass by hand, why a gradient is what it is, what went wrong, and is it true."""
