"""``python -m mmulbench``."""

import sys

from mmulbench.cli import main

sys.exit(main())
