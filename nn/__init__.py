"""Neurons, layers, costs and optimisers on top of `autograd`."""
