"""What it costs to know pictures by their content: to open a task of 30,000 of them, and to open it again.

Three ways to open the same data take turns: by names and sizes alone, as it was once done; the first time,
when every picture is hashed; and again, with hints. Beside them stands what the first time costs anyway,
decoding and resizing. Seconds are those of all cores, so that nothing else on the machine counts; files are
in the system's memory, so that no disk does.
Run: python benchmarks/inputs.py [--images 500]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from scale import write_data  # type: ignore[import-not-found]

from mmulbench import TaskData
from mmulbench.backbones._pixels import resized_pixels
from mmulbench.cache.artifacts import ArtifactCache
from mmulbench.core.registry import TASKS
from mmulbench.file_digests import TICK
from mmulbench.progress import Progress
from mmulbench.tasks._official import image_text_task

HERE = Path(__file__).parent
IMAGES, ROUNDS = 30_000, 5
ALLOWED = {"open again / by names and sizes": 1.2, "hashing / decoding": 0.25}


def opened(root: Path, cache: ArtifactCache) -> tuple[float, TaskData]:
    """Open Flickr30K, and return the seconds that all cores took."""
    start = time.process_time()
    with cache.hints():
        data = TASKS.get("flickr30k")().load(root, Progress())
    return time.process_time() - start, data


def by_names(root: Path, cache: ArtifactCache) -> float:
    """Open it without looking into any picture."""
    with patch.object(image_text_task, "with_digests", lambda images, *_: list(images.values())):
        return opened(root, cache)[0]


def decoded(data: TaskData) -> float:
    """Decode and resize all pictures, as a backbone does before it is trained, one after the other."""
    images = data.items["image"].images
    work = resized_pixels(images, 64)
    start = time.process_time()
    for first in range(0, len(images), work.block):
        work.compute(range(first, min(first + work.block, len(images))))
    return time.process_time() - start


def measured(root: Path) -> dict[str, list[float]]:
    """Return the seconds of each way in each round."""
    cache, seconds = ArtifactCache(root / "cache"), dict[str, list[float]]()
    by_names(root, cache)  # warms up
    for _ in range(ROUNDS):
        shutil.rmtree(root / "cache", ignore_errors=True)
        first, data = opened(root, cache)
        again, same = opened(root, cache)
        assert same.fingerprint == data.fingerprint
        turn = {"by names and sizes": by_names(root, cache), "first": first, "again": again}
        for name, value in turn.items():
            seconds.setdefault(name, []).append(value)
    seconds["decode and resize"] = [decoded(data)]
    return seconds


def record_of(seconds: dict[str, list[float]], images: int) -> dict:
    """Return the record that is kept; ratios are those of rounds, in which the ways take turns."""
    rounds = list(zip(seconds["by names and sizes"], seconds["first"], seconds["again"], strict=True))
    decode = seconds["decode and resize"][0]
    ratios = {
        "open again / by names and sizes": statistics.median(again / bare for bare, _, again in rounds),
        "hashing / decoding": statistics.median((first - bare) / decode for bare, first, _ in rounds),
    }
    return {
        "what": "opening flickr30k; pictures of 64 to 96 pixels a side, in the system's memory",
        "images": images,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "rounds": ROUNDS,
        "seconds of all cores (median)": {
            name: round(statistics.median(found), 2) for name, found in seconds.items()
        },
        "ratio (median over rounds)": {name: round(value, 3) for name, value in ratios.items()},
        "allowed": ALLOWED,
    }


def main() -> None:
    """Measure; write the record where the size is the full one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    images = parser.parse_args().images
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), images)
        time.sleep(2 * TICK / 10**9)  # hints are taken on files that have settled
        text = json.dumps(record_of(measured(Path(folder)), images), indent=1)
    if images == IMAGES:
        (HERE / "inputs.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
