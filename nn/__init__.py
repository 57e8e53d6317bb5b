"""Neurons, layers, costs and optimisers on top of `autograd`: still to be written."""
