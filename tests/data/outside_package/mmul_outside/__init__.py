"""A method and a task for mmulbench, kept outside it."""
