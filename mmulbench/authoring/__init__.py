"""Write a new method or task, with its test, from templates that work as they are.

For others: `scaffold.write_new`.
May import: core, conformance, the ground floor.
"""
