"""Make leaderboard, end-of-run summary and figures out of records alone.

For others: `aggregate`, `floor`, `leaderboard`, `plots`, `summary`.
May import: records, core, metrics, the ground floor.
"""
