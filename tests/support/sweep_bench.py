"""A bench with a folder for sweeps."""

from __future__ import annotations

import json
import time
from typing import Any

from helpers import PATIENCE, Bench, here

from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore


class Sweeps:
    """A bench with a folder for sweeps."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.folder = bench.root / "sweeps"

    def start(self, *words, **options):
        # Commands start in folders of their own; what is looked for there by default makes another sweep.
        places: dict[str, Any] = {
            f"MMULBENCH_{name.upper()}": str(self.bench.root / name) for name in ("sweeps", "tuned", "data")
        }
        return self.bench.start(*words, **places, **options)

    def run(self, *words, **options):
        return self.start(*words, **options).wait()

    def here(self, command, *words):
        return here(command, *words, "--sweeps-dir", str(self.folder))

    @property
    def counts(self):
        return json.loads(self.here("status", "--json").out)["counts"]

    @property
    def steps(self):
        """What the latest sweep's steps are, by id."""
        (path,) = self.folder.glob("*/sweep.json")
        return {step["step_id"]: step for step in json.loads(path.read_text())["steps"]}

    def until_over(self):
        """Wait until local workers, who have to import everything first, have done all there is to do."""
        deadline = time.monotonic() + PATIENCE
        while not (self.folder.exists() and {"queued", "running"}.isdisjoint(self.counts)):
            assert time.monotonic() < deadline, self.here("status").out
            time.sleep(0.2)

    def records(self) -> list[RunResult]:
        """All records: each is whole, and there is one for each run."""
        found, unreadable = ResultsStore(self.bench.results).load_all()
        assert unreadable == []
        assert self.bench.leftovers() == []
        assert len({record.run_id for record in found}) == len(found)
        return found

    def statuses(self) -> dict[str, str]:
        return {record.spec.method: record.status for record in self.records()}
