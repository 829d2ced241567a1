"""Compute the metrics of a record: array functions by family, and a catalogue of registered metrics.

For others: `catalogue` (one file each, what a record has), and one module for each family of array functions.
May import: records, core, the ground floor.
"""
