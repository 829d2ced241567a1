"""Make leaderboard, end-of-run summary and figures out of records alone.

For others: `aggregate`, `floor`, `leaderboard`, `plots`, `summary`, `surroundings`.
May import: records, core, metrics, validity, the ground floor.
"""
