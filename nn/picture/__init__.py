"""Pictures and the page of a network."""
