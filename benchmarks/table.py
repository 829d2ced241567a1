"""What it costs to open a table of one's own: 100,000 pairs in a CSV, of 20,000 images that nobody decodes.

The table has a column of units and none of splits, so that splits are drawn. It is opened in a process of its
own, twice: the first time every image is hashed, the second time hints say what they are. Files are in the
system's memory, so that no disk counts. Run: python benchmarks/table.py [--pairs 1000] [--dir FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PAIRS, TEXTS_AN_IMAGE, IMAGES_A_UNIT = 100_000, 5, 4
ALLOWED_SECONDS, ALLOWED_MIB = 20.0, 953
"""Time, and memory in MiB, which is 1 GB, that opening may take with all imports."""


def write_data(root: Path, pairs: int) -> Path:
    """Small files of different content, and a CSV with a row for each pair; no file is a picture."""
    folder = root / "images"
    folder.mkdir(parents=True, exist_ok=True)
    table = root / "table.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", "caption", "person", "source", "year"])
        for row in range(pairs):
            image = row // TEXTS_AN_IMAGE
            if row % TEXTS_AN_IMAGE == 0:
                (folder / f"{image:06d}.jpg").write_bytes(f"image {image} ".encode() * 100)
            text = f"caption {row % TEXTS_AN_IMAGE} of image {image}: what there is to see, in row {row}"
            writer.writerow(
                [
                    f"images/{image:06d}.jpg",
                    text,
                    f"p{image // IMAGES_A_UNIT}",
                    f"camera {row % 17}",
                    1990 + row % 30,
                ]
            )
    return table


def open_table(table: Path, cache: Path) -> None:
    """Open the table; print seconds and the largest memory of this process, its imports included."""
    start = time.perf_counter()
    from mmulbench.cache.artifacts import ArtifactCache
    from mmulbench.core.registry import TASKS
    from mmulbench.progress import Progress

    cls = TASKS.get("pairs")
    task = cls(cls.Config(**{"table": str(table), "unit": "person"}))
    with ArtifactCache(cache).hints():
        data = task.load(table.parent, Progress())
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "user seconds": round(used.ru_utime, 2),
        "system seconds": round(used.ru_stime, 2),
        "seconds": round(time.perf_counter() - start, 2),
        "peak MiB": used.ru_maxrss // 1024,
        "training pairs": len(data.train),
        "training units": task.unit_count(data),
    }
    print(json.dumps(found))


def measured(root: Path, pairs: int) -> dict[str, dict[str, float]]:
    """Return what opening costs the first time and again."""
    table = write_data(root, pairs)
    time.sleep(5)  # hints are taken on files that have settled
    command = [sys.executable, __file__, "--open", str(table), "--dir", str(root)]
    return {
        name: json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for name in ("first", "again")
    }


def main() -> None:
    """Measure; write the record where the size is the full one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        open_table(options.open, options.dir / "cache")
        return
    with tempfile.TemporaryDirectory() as folder:
        found = measured(options.dir or Path(folder), options.pairs)
    record = {
        "what": "opening a CSV of pairs as the task pairs, in a process of its own",
        "pairs": options.pairs,
        "images": options.pairs // TEXTS_AN_IMAGE,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "found": found,
        "allowed": {"seconds": ALLOWED_SECONDS, "peak MiB": ALLOWED_MIB},
    }
    text = json.dumps(record, indent=1)
    if options.pairs == PAIRS:
        (HERE / "table.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
