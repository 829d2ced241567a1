"""Say which code decides a run's numbers besides the engine: method, task, backbone, others' metrics."""

from __future__ import annotations

from mmulbench.code_digest import code_digest
from mmulbench.core.registry import BACKBONES, METRICS, TASKS

READERS = "mmulbench.backbones._pretrained"
"""Package whose modules read published weights."""


def code_of_run(method: str, task: str, backbone: str) -> dict[str, str]:
    """Return the digests of today's code by kind; metrics of mmulbench's own are known by their version.

    Args:
        method: dotted name of the method's module.
        task: registered name of the task.
        backbone: full name of the backbone, or its family alone.

    Raises:
        UsageError: A name is unknown.
        MmulbenchError: A file cannot be read.
    """
    modules = {
        "method": method,
        "task": TASKS.module_of(task),
        "backbone": BACKBONES.module_of(backbone.partition(":")[0]),
        **{f"metric {name}": METRICS.module_of(name) for name in METRICS.names()},
    }
    return {
        kind: backbone_digest(module, backbone) if kind == "backbone" else code_digest(module)
        for kind, module in modules.items()
        if not module.startswith(f"{METRICS.package}.")
    }


def backbone_digest(module: str, full_name: str) -> str:
    """Return the digest of a backbone's code; what reads checkpoints counts only where there is one.

    Args:
        module: dotted name of its module.
        full_name: full name of the backbone, which has the checkpoint's digest after an ``@``.

    Raises:
        MmulbenchError: A file cannot be read.
    """
    return code_digest(module, () if "@" in full_name else (READERS,))


def changed_code(recorded: dict[str, str], today: dict[str, str]) -> list[str]:
    """Return the kinds whose code is another today than it was; none of those that either side lacks.

    Args:
        recorded: digests by kind, as a record or a study has them; empty where it was made before there were
            any.
        today: the same of today's code.
    """
    return [kind for kind, digest in recorded.items() if today.get(kind, digest) != digest]
