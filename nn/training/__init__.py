"""Training: the `Trainer`, its `History`, checkpoints, and how outputs are interpreted."""
