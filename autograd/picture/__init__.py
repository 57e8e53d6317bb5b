"""Drawings of graphs, and the HTML that notebooks display."""
