"""Say which records may stand in one table."""

from __future__ import annotations

import json
from typing import NamedTuple

from mmulbench.hashing import canonical_json
from mmulbench.records.schema import RunSpec


class GroupKey(NamedTuple):
    """Holds what all runs of one table share; runs that differ in any of it are never compared."""

    task: str
    backbone: str
    forget_size: int
    forget: str
    given: str
    data_fingerprint: str
    metric_version: str
    recipe_version: str
    task_config: str
    recipe: str
    plugins: str

    @classmethod
    def of(cls, spec: RunSpec) -> GroupKey:
        """Return the key of a run's table; mappings become canonical JSON.

        Plug-in files of the task, the backbone and of metrics count; the method's makes another row.
        """
        return cls(
            spec.task,
            spec.backbone,
            spec.forget_size,
            spec.forget.digest if spec.forget is not None else "",
            canonical_json({name: one for name, one in spec.given.items() if name != "unlearned"}),
            spec.data_fingerprint,
            spec.metric_version,
            spec.recipe_version,
            canonical_json(spec.task_config),
            canonical_json(spec.recipe),
            canonical_json({name: digest for name, digest in spec.plugins.items() if name != spec.method}),
        )

    @classmethod
    def of_text(cls, text: str) -> GroupKey:
        """Return the key that was written as JSON, a list of its fields."""
        return cls(*json.loads(text))

    @property
    def forget_text(self) -> str:
        """How much is forgotten, in words: of a list, the start of its digest too."""
        if self.forget:
            return f"forget list {self.forget[:8]} of {self.forget_size} units"
        return f"forget size {self.forget_size}"
