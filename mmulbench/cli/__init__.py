"""Turn a command line into one call, and what comes back into text and an exit code.

For others: `app.main`, the program itself.
May import: every other room.
"""

import sys

from mmulbench.supported import refusal

reason = refusal()
if reason:  # before anything is imported that this Python may lack
    print(f"mmulbench: {reason}", file=sys.stderr)
    sys.exit(2)
