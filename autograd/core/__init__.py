"""The engine: numbers that remember how they were computed, and the chain rule."""
