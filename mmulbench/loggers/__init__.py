"""Log runs while they are made, with libraries of others: losses by epoch, settings, final values.

For others: `logged` (`with_loggers`), `choice` (`LOGGERS`, `demand_loggers`).
May import: the ground floor.
"""
