"""Turn a command line into one call, and what comes back into text and an exit code.

For others: `app.main`, the program itself.
May import: every other room.
"""
