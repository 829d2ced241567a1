"""Metrics: pure functions on arrays, and the catalogue that defines each of them."""
