"""What keeps a network from learning, and the numbers that show it."""
