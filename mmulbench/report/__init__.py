"""What is made of the records: leaderboard, end-of-run summary and figures, computed from `RunResult`s."""
