"""Write down what a run is and what it found: the files under ``results/``, and studies of settings.

For others: `schema` (`RunSpec`, `RunResult`, `Value`), `store`, `study`, `environment`.
May import: the ground floor.
"""
