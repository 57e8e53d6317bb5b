"""The diagnosis: finding what keeps a network from learning, with measurements as proof."""
