"""Know the options of ``sbatch`` by name, so that a slip of the pen is found before anything is submitted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable

from mmulbench.errors import MmulbenchError, near_names
from mmulbench.sweeps.slurm_commands import answer

_NAMES = """
account acctg-freq batch bb bbf begin chdir cluster-constraint comment constraint container
container-id contiguous core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline
delay-boot distribution exclude exclusive export export-file extra extra-node-info get-user-env gid
gpu-bind gpu-freq gpus gpus-per-node gpus-per-socket gpus-per-task gres gres-flags hint hold input
job-name kill-on-invalid-dep licenses mail-type mail-user mcs-label mem mem-bind mem-per-cpu
mem-per-gpu mincpus network nice no-kill nodefile nodelist ntasks-per-core ntasks-per-gpu
ntasks-per-node ntasks-per-socket oom-kill-step overcommit oversubscribe partition power prefer
priority profile propagate qos reboot requeue reservation resv-ports segment sockets-per-node
spread-job stepmgr switches thread-spec threads-per-core time time-min tmp tres-bind tres-per-task
uid use-min-nodes wait-all-nodes wckey x11
"""

OPTIONS = frozenset(_NAMES.split())
"""Options of sbatch that a job may have, of all versions of Slurm since 20.11."""


def unknown_option(name: str, also: Iterable[str]) -> str | None:
    """Say that sbatch has no such option, and which was meant; None where it has.

    A cluster's plug-ins may have options of their own, which its sbatch knows.

    Args:
        name: name of the option, without its dashes.
        also: names that are understood besides.
    """
    if name in OPTIONS or name in _plugin_options():
        return None
    return f"sbatch has no option {name}{near_names(name, {*OPTIONS, *also})}"


def _plugin_options() -> frozenset[str]:
    """Ask sbatch for its options; none where there is no Slurm."""
    if shutil.which("sbatch") is None:
        return frozenset()
    try:
        said = answer(["sbatch", "--help"])
    except MmulbenchError:
        return frozenset()
    return frozenset(re.findall(r"--([a-z][a-z0-9_-]+)", said))
