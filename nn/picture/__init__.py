"""Pictures of networks: the drawing, matplotlib plots, and the HTML page."""
