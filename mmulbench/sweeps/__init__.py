"""Sweeps: many runs, planned as one, made by local workers or by Slurm."""
