"""What reading 20,000 records costs, first (cold), when nothing has changed since (warm), and after one has.

The 20,000 are copies of the committed records with other seeds, settings and recipes, each with the run id
that belongs to it. Whole commands are measured, imports included, by the processor time of the process, its
threads' and the system's for it, since other processes may share the machine; memory is its peak. The files
were just written, so they are read from memory, not from the disk. Ratios are those to the processor time in
which the JSON of all of them is read and parsed by Python's own module, in the same run.
Run: python benchmarks/many_records.py [NUMBER OF RECORDS]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
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
ALLOWED_SECONDS, ALLOWED_MIB, ALLOWED_FEW = 3.0, 500, 1.0
SETTLED = 3.0
"""Seconds after which the file system gives a changed file another time."""


class Taken(NamedTuple):
    """Holds what a command took.

    Attributes:
        seconds: processor time.
        mib: peak of its resident memory, MiB.
    """

    seconds: float
    mib: float


def main() -> None:
    """Measure and write the record."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as name:
        results = Path(name, "results")
        write_copies(results, SEEDS, SETTINGS, RECIPES, most)
        files = sorted(results.rglob("*.json"))
        sizes = {"records": len(files), "MiB of records": sum(path.stat().st_size for path in files) >> 20}
        time.sleep(SETTLED)
        parsed = statistics.median([plain_parsing(files) for _ in range(ROUNDS)])
        found = {what: measured(taken, parsed) for what, taken in commands(results, Path(name, "cache"))}
        kept = sum(path.stat().st_size for path in Path(name, "cache").rglob("*.json"))
    few = {what: [command(*words).seconds for _ in range(ROUNDS)] for what, words in few_commands()}
    record = {
        "python": sys.version.split()[0],
        "cores": len(os.sched_getaffinity(0)),
        "rounds": ROUNDS,
        **sizes,
        "MiB remembered": round(kept / 2**20, 1),
        "parsing by Python's json, processor seconds": round(parsed, 2),
        "many records": found,
        "allowed when nothing has changed": {"processor seconds": ALLOWED_SECONDS, "peak MiB": ALLOWED_MIB},
        "committed records, processor seconds": {
            what: round(statistics.median(one), 2) for what, one in few.items()
        },
        "allowed for those": ALLOWED_FEW,
    }
    text = json.dumps(record, indent=1)
    if most == RECORDS:
        (HERE / "many_records.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def commands(results: Path, cache: Path) -> Iterator[tuple[str, list[Taken]]]:
    """Run the commands on many records, and yield what each took by name.

    Args:
        results: folder of the records.
        cache: folder where they are remembered, empty at first.
    """
    one = min(results.rglob("mmul/*.json"))
    folder = ["--results-dir", str(results)]
    pages = ["leaderboard", *folder, "--output", os.devnull]
    again = [
        ("leaderboard", pages),
        ("leaderboard --metric test", [*pages, "--metric", "test"]),
        ("validate", ["validate", *folder]),
        ("show METHOD", ["show", "mmul", *folder]),
        ("show ID", ["show", one.stem.rpartition("-")[2], *folder]),
    ]
    yield "leaderboard, cold", [command(*pages, cache=cache)]
    yield "leaderboard, no cache", [command(*pages, cache=Path(os.devnull))]
    for what, words in again:
        command(*words, cache=cache)
        yield f"{what}, warm", [command(*words, cache=cache) for _ in range(ROUNDS)]
    one.unlink()
    yield "leaderboard, one record less", [command(*pages, cache=cache)]


def measured(taken: Sequence[Taken], parsed: float) -> dict[str, float]:
    """Return what a command took, and its ratio to parsing alone.

    Args:
        taken: what each run of it took.
        parsed: processor time of parsing, seconds.
    """
    seconds = statistics.median(one.seconds for one in taken)
    return {
        "processor seconds": round(seconds, 2),
        "ratio": round(seconds / parsed, 2),
        "peak MiB": round(max(one.mib for one in taken)),
    }


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


def plain_parsing(files: Sequence[Path]) -> float:
    """Processor seconds in which records are parsed by Python's own module, and nothing else is done."""
    start = time.process_time()
    for path in files:
        json.loads(path.read_bytes())
    return time.process_time() - start


def command(*words: str, cache: Path | None = None) -> Taken:
    """Run a command and return what it took.

    Args:
        *words: the command and its options.
        cache: the cache folder; None for the user's own.

    Raises:
        SystemExit: It fails.
    """
    environment = {**os.environ, **({} if cache is None else {"MMULBENCH_CACHE": str(cache)})}
    process = subprocess.Popen(
        [sys.executable, "-m", "mmulbench", *words], cwd=ROOT, stdout=subprocess.DEVNULL, env=environment
    )
    _, code, used = os.wait4(process.pid, 0)
    if code:
        raise SystemExit(f"mmulbench {' '.join(words)} failed")
    return Taken(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


if __name__ == "__main__":
    main()
