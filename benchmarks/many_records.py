"""What reading records costs: `mmulbench leaderboard` of 20,000 records, and the commands that read a few.

The 20,000 are copies of the committed records with other seeds, settings and recipes, each with the run id
that belongs to it. Whole commands are timed, imports included; memory is the peak of the process. The files
were just written, so they are read from memory, not from the disk. The ratio is that to the time in which the
JSON of all of them is read and parsed by Python's own module, in the same run.
Run: python benchmarks/many_records.py
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import NamedTuple

from mmulbench.core.reproduce import command_of
from mmulbench.records.schema import RunResult
from mmulbench.records.store import ResultsStore

ROUNDS = 3
RECORDS = 20_000
SEEDS, SETTINGS, RECIPES = 5, 8, 11
"""Copies of each committed record: so many other seeds, with so many settings, by so many recipes."""

HERE = Path(__file__).parent
ROOT = HERE.parent
MANY = "leaderboard of 20,000 records"
ALLOWED_SECONDS, ALLOWED_MIB, ALLOWED_FEW = 3.0, 500, 1.0


class Taken(NamedTuple):
    """Holds what a command took.

    Attributes:
        seconds: wall time.
        mib: peak of its resident memory, MiB.
    """

    seconds: float
    mib: float


def main() -> None:
    """Measure and write the record."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_copies(folder, SEEDS, SETTINGS, RECIPES)
        count = len(list(folder.rglob("*.json")))
        size = sum(path.stat().st_size for path in folder.rglob("*.json"))
        many = [command("leaderboard", "--results-dir", name, "--output", os.devnull) for _ in range(ROUNDS)]
        parsed = statistics.median([plain_parsing(folder) for _ in range(ROUNDS)])
    seconds = statistics.median(taken.seconds for taken in many)
    few = {what: [command(*words).seconds for _ in range(ROUNDS)] for what, words in few_commands()}
    record = {
        "python": sys.version.split()[0],
        "cores": len(os.sched_getaffinity(0)),
        "rounds": ROUNDS,
        MANY: {
            "records": count,
            "MiB read": size >> 20,
            "seconds": round(seconds, 2),
            "allowed seconds": ALLOWED_SECONDS,
            "peak MiB": round(max(taken.mib for taken in many)),
            "allowed MiB": ALLOWED_MIB,
            "parsing by Python's json, seconds": round(parsed, 2),
            "ratio": round(seconds / parsed, 2),
        },
        "committed records, seconds": {what: round(statistics.median(one), 2) for what, one in few.items()},
        "allowed": ALLOWED_FEW,
    }
    text = json.dumps(record, indent=1)
    (HERE / "many_records.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def few_commands() -> list[tuple[str, list[str]]]:
    """Return the commands on the committed records by name."""
    (record,) = islice(sorted((ROOT / "results").glob("emoji/*/mmul/*.json")), 1)
    return [
        ("leaderboard", ["leaderboard", "--check"]),
        ("show", ["show", str(record)]),
        ("list", ["list", "methods"]),
    ]


def write_copies(folder: Path, seeds: int, settings: int, recipes: int, most: int = RECORDS) -> None:
    """Write copies of the committed records.

    Args:
        folder: results folder to write to.
        seeds: number of copies with other seeds.
        settings: number of copies with other settings.
        recipes: number of copies by other recipes.
        most: number of records at most.
    """
    store = ResultsStore(folder)
    for record in islice(copies(seeds, settings, recipes), most):
        path = store.path(record.spec)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")


def copies(seeds: int, settings: int, recipes: int) -> Iterator[RunResult]:
    """Yield copies of the committed records; all records of a seed come before those of the next."""
    originals, _ = ResultsStore(ROOT / "results").load_all()
    for recipe, seed, setting in product(range(recipes), range(seeds), range(settings)):
        for record in originals:
            spec = record.spec
            config = dict(spec.config)
            if setting and "lr" not in config:
                continue
            if setting:
                config["lr"] = setting * 1e-5
            new = spec.model_copy(
                update={
                    "seed": spec.seed + 1000 * seed,
                    "config": config,
                    "recipe": {**spec.recipe, "epochs": 100 + recipe},
                }
            )
            copy = record.model_copy(update={"spec": new, "run_id": new.run_id})
            yield copy.model_copy(update={"command": command_of(copy)})


def plain_parsing(folder: Path) -> float:
    """Seconds in which all records are parsed by Python's own module, and nothing else is done with them."""
    start = time.perf_counter()
    for path in folder.rglob("*.json"):
        json.loads(path.read_bytes())
    return time.perf_counter() - start


def command(*words: str) -> Taken:
    """Run a command and return what it took.

    Raises:
        SystemExit: It fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "mmulbench", *words], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    _, code, used = os.wait4(process.pid, 0)
    if code:
        raise SystemExit(f"mmulbench {' '.join(words)} failed")
    return Taken(time.perf_counter() - start, used.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
