"""Plan many runs as one sweep, and have them made by local workers or by Slurm.

For others: `commands`, `status_commands`, `grid`, `choose_executor`, `slurm_settings`.
May import: records, core, exports, loggers, runs, report, handover, the ground floor.
"""
