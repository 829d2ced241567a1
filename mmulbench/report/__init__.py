"""Make leaderboard, end-of-run summary and figures out of records alone.

For others: `leaderboard`, `plots`, `summary`.
May import: records, core, metrics, the ground floor.
"""
