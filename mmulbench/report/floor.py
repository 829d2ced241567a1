"""Say how far from retrain's an attack's AUC must lie to be different, by noise and by number of units."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import stdtrit

from mmulbench.metrics.catalogue import with_role
from mmulbench.records.group_key import GroupKey
from mmulbench.records.schema import RunResult
from mmulbench.report.aggregate import ORIGINAL, REFERENCES, RETRAIN, RecordGroup, group_records
from mmulbench.report.differences import LEVEL, Floats, draws
from mmulbench.report.noise_floor import NoiseFloor
from mmulbench.report.ranking import MINIMUM_DRAWS
from mmulbench.seeds import derive

UNKNOWN_FLOOR = 0.05
"""Floor where it is not measured: a guess, and the verdict says that the noise floor is unknown."""

CONFIDENCE = 0.95
"""Share of retrains by another seed that lie within the floor on all paths."""


@dataclass(frozen=True)
class Floor:
    """Holds what other records say of the retrain that a run is compared with.

    Attributes:
        bounds: by association path, what the attack's AUC on another retrain and on retrain differ by at most
            (`bound_of_noise`).
        draws: by association path, the number of those retrains.
        retrain: the record of the run's own retrain; None where there is none.
        original: the record of the run's original; None where there is none.
    """

    bounds: dict[str, float] = field(default_factory=dict)
    draws: dict[str, int] = field(default_factory=dict)
    retrain: RunResult | None = None
    original: RunResult | None = None

    @classmethod
    def of(cls, result: RunResult, records: Iterable[RunResult]) -> Floor:
        """Gather the floor of a run.

        Args:
            result: the run.
            records: any records, such as all of a results folder; those of other tables do not count.
        """
        key = GroupKey.of(result.spec)
        alike = [one for one in records if one.spec.method in REFERENCES and GroupKey.of(one.spec) == key]
        return cls.within(group_records(alike)[0], result) if alike else cls()

    @classmethod
    def within(cls, group: RecordGroup, result: RunResult) -> Floor:
        """Gather the floor of a run of a table.

        Args:
            group: the table.
            result: the run.
        """
        return Floors(group).of(result)

    def is_known(self, path: str) -> bool:
        """Check whether enough retrains by other training seeds are there."""
        return self.draws.get(path, 0) >= MINIMUM_DRAWS

    def noise(self, path: str) -> float:
        """Return the noise floor of a path; where too few draws know it, at least `UNKNOWN_FLOOR`."""
        bound = self.bounds.get(path, 0.0)
        return bound if self.is_known(path) else max(bound, UNKNOWN_FLOOR)

    def resolution(self, result: RunResult, path: str) -> float:
        """Return the distance to retrain that the forget units of a run can resolve.

        Args:
            result: the run, or the original's or another record of the same forget set.
            path: association path.

        Returns:
            By paired bootstrap over units where both records have numbers by unit, else
            `analytical_resolution`.
        """
        paired = None if self.retrain is None else _paired(result, self.retrain, attack_key(path))
        return analytical_resolution(result.spec.forget_size) if paired is None else paired


class Floors:
    """Gathers the floors of all runs of a table, and reads its retrains once.

    Args:
        group: the table.
    """

    def __init__(self, group: RecordGroup) -> None:
        self._group = group
        self._noise: dict[str, NoiseFloor | None] = {}
        self._references = {
            (row.method, one.spec.seed): one
            for row in group.rows
            if row.method in (RETRAIN, ORIGINAL)
            for one in row.records
        }

    def of(self, result: RunResult) -> Floor:
        """Gather the floor of a run of the table."""
        floors = {path: self._noise_of(path) for path in attacked_paths(result)}
        known = {path: floor for path, floor in floors.items() if floor is not None}
        return Floor(
            {path: bound_of_noise(floor, len(known)) for path, floor in known.items()},
            {path: floor.draws for path, floor in known.items()},
            self._references.get((RETRAIN, result.spec.seed)),
            self._references.get((ORIGINAL, result.spec.seed)),
        )

    def _noise_of(self, path: str) -> NoiseFloor | None:
        if path not in self._noise:
            self._noise[path] = NoiseFloor.of(self._group, attack_key(path))
        return self._noise[path]


def bound_of_noise(floor: NoiseFloor, paths: int) -> float:
    """Compute what two retrains of one forget set differ by at most, on all paths at once.

    The largest of a few draws would not do: an honest retrain exceeds it often, and the runs of a seed share
    the luck of their retrain. It is the quantile of Student's t for the difference of two models, with the
    training variance from all draws, divided between the paths (Bonferroni).

    Args:
        floor: noise floor of the AUC of one path.
        paths: number of paths that are judged.
    """
    quantile = float(stdtrit(floor.draws, 1 - (1 - CONFIDENCE) / 2 / paths))
    return quantile * math.sqrt(2 * floor.variance)


def attack_key(path: str) -> str:
    """Name the attack's AUC on a path as records do."""
    (attack,) = with_role("forgetting")
    return f"{attack.name}/{path}"


def attacked_paths(result: RunResult) -> list[str]:
    """Return the association paths that a record has the attack's AUC of."""
    start = attack_key("")
    return sorted(
        key.removeprefix(start) for key in result.values if key.startswith(start) and key.count("/") == 1
    )


def analytical_resolution(units: int) -> float:
    """Compute two standard errors of an AUC of .5 on so many forget units and as many test units.

    A unit counts as one pair, so that this is more than enough where pairs of a unit differ. It is the
    variance of the Mann-Whitney statistic, (n + m + 1) / 12nm, for n = m.

    Args:
        units: number of forget units.

    Example:
        >>> round(analytical_resolution(68), 2)
        0.1
    """
    return 2 * math.sqrt((2 * units + 1) / (12 * units**2))


@functools.lru_cache(maxsize=4)
def _shares(seed: int, pairs: tuple[float, ...]) -> Floats:
    """Return the share of each unit in the pairs of each repeat, the same for all runs of a seed.

    Args:
        seed: the seed.
        pairs: pairs of each unit.
    """
    drawn = draws(len(pairs), derive(seed, "verdict")) * np.array(pairs)
    shares: Floats = drawn / drawn.sum(axis=1, keepdims=True)
    return shares


def _paired(result: RunResult, retrain: RunResult, key: str) -> float | None:
    """Return the half-width of the 95 % interval of a difference of two AUCs on the same forget units.

    The test pairs are taken as they are; None where a record has no numbers for each unit.
    """
    own, reference = (np.array(one.by_unit.get(key, ()), dtype=np.float64) for one in (result, retrain))
    pairs = np.array(retrain.by_unit.get("pairs", ()), dtype=np.float64)
    if not own.size == reference.size == pairs.size or not own.size:
        return None
    differences = own - reference
    shares = _shares(result.spec.seed, tuple(pairs.tolist()))
    around = shares @ differences - float(np.average(differences, weights=pairs))
    return float(np.quantile(np.abs(around), 1 - LEVEL))
