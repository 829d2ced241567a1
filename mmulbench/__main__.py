"""``python -m mmulbench``."""

import sys

from mmulbench.cli.app import main

sys.exit(main())
