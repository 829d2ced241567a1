"""Compute every metric as a pure function of arrays; nothing here knows a model, a task or a file.

For others: `catalogue` (what there is), and one module for each family of metrics.
May import: records, the ground floor.
"""
