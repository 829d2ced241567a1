"""What data of Flickr30K's size costs: to prepare, to start a run on, to evaluate on; and all of HPO.

Pictures and captions are made up: as many as Flickr30K has, in its layout. Each stage runs in a process of
its own, so that its peak memory is its own; pages of the memory-mapped cache count where they were read.
Takes most of an hour on two cores. Run: python benchmarks/scale.py [--images 500] [--dir FOLDER]
Only the full size is recorded; a folder that is given is kept, and used again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
SPLITS = {"train": 29_000, "val": 1_014, "test": 1_000}
IMAGES = sum(SPLITS.values())
CAPTIONS = 5
ALLOWED = {"prepare flickr30k": 600.0, "start a run": 10.0}
ALLOWED_MIB = 3 * 1024
WORDS = ("a", "the", "two", "young", "man", "woman", "child", "dog", "boat", "street", "red", "blue", "large")
WORDS += (
    "runs",
    "stands",
    "jumps",
    "sits",
    "plays",
    "holds",
    "wears",
    "near",
    "under",
    "behind",
    "with",
    "over",
)
HPO = [part for name in ("subjects", "phenotypes", "relations") for part in ("--set", f"task.{name}=0")]


def write_data(root: Path, images: int) -> None:
    """Pictures of 64 to 96 pixels a side with five captions each, in Karpathy's form."""
    import numpy as np
    from PIL import Image

    folder = root / "flickr30k" / "flickr30k-images"
    folder.mkdir(parents=True)

    def picture(number: int) -> None:
        rng = np.random.default_rng(number)
        height, width = rng.integers(64, 97, 2)
        small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        small.resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=85)

    with ThreadPoolExecutor() as pool:
        list(pool.map(picture, range(images)))
    rng = np.random.default_rng(0)
    ends = np.cumsum(list(SPLITS.values())) * images // IMAGES
    entries = []
    for number in range(images):
        split = list(SPLITS)[int(np.searchsorted(ends, number, side="right"))]
        texts = [f"{' '.join(rng.choice(WORDS, 12))} {number}" for _ in range(CAPTIONS)]
        sentences = [{"raw": text} for text in texts]
        entries.append({"filename": f"{number}.jpg", "split": split, "sentences": sentences})
    document = {"dataset": "flickr30k", "images": entries}
    (root / "flickr30k" / "dataset_flickr30k.json").write_text(json.dumps(document), encoding="utf-8")


def timed(*command: str) -> tuple[float, float, str]:
    """Wall seconds, peak memory (MiB) and standard output of a command."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([sys.executable, *command], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status != 0:
            raise SystemExit(f"{' '.join(command)} ended with {status}")
        output.seek(0)
        return seconds, usage.ru_maxrss / 1024, output.read()


def prepared(root: Path):
    """Flickr30K ready to train on, as a run prepares it."""
    from mmulbench.artifacts import ArtifactCache
    from mmulbench.pipeline import use_device
    from mmulbench.preparation import Workspace, find_backbone, prepare
    from mmulbench.registry import TASKS
    from mmulbench.store import ResultsStore

    task = TASKS.get("flickr30k")()
    cache, store = ArtifactCache(root / "cache"), ResultsStore(root / "results")
    workspace = Workspace(cache, store, root, use_device("cpu"))
    backbone = find_backbone(task.default_backbone, task)
    return prepare("flickr30k", task, backbone, task.recipe, workspace)


def start(root: Path) -> None:
    """Until the first batch of training is there."""
    import numpy as np

    found = prepared(root)
    batch = next(found.pairs(found.data.train).epoch(found.recipe.batch_size, np.random.default_rng(0)))
    for modality in found.task.modalities:
        batch.inputs(modality)


def evaluate(root: Path) -> None:
    """An untrained model on the test set, the retain set and the default forget set; seconds of each part."""
    import torch

    from mmulbench.evaluation import measure
    from mmulbench.progress import Progress
    from mmulbench.references import evaluation_sets, fresh_model
    from mmulbench.retrieval import evaluate_retrieval

    found = prepared(root)
    size = found.task.forget_size(found.data, None)
    forget = found.task.forget_units(found.data, size, seed=0)
    sets = evaluation_sets(found, found.data.train.without(forget), found.data.train.only(forget))
    model = fresh_model(found, 0, torch.device("cpu")).eval()
    begin = time.perf_counter()
    test = sets.splits["test"]
    evaluate_retrieval(model, test, sets.relations, sets.features, sets.rerank, Progress(), "", sets.gallery)
    middle = time.perf_counter()
    measure(model, sets, 0, Progress())
    end = time.perf_counter()
    parts = {"retrieval on the test set": middle - begin, "all sets": end - middle}
    print(json.dumps({name: round(seconds, 1) for name, seconds in parts.items()}))


def measure_all(root: Path, images: int) -> dict:
    """Every stage's seconds, peak memory and what it printed."""
    if not (root / "flickr30k" / "dataset_flickr30k.json").exists():
        write_data(root, images)
    here = [str(Path(__file__)), "--dir", str(root), "--stage"]
    command = ["-m", "mmulbench", "data", "prepare"]
    folders = ["--data-dir", str(root), "--cache-dir", str(root / "cache"), "--json"]
    stages = {
        "prepare flickr30k": [*command, "flickr30k", *folders],
        "start a run": [*here, "start"],
        "evaluate": [*here, "evaluate"],
        "prepare hpo_pgr, all relations": [*command, "hpo_pgr", *HPO, *folders],
    }
    measured = {}
    for name, words in stages.items():
        measured[name] = timed(*words)
        print(f"{name}: {measured[name][0]:.1f} s, {measured[name][1]:.0f} MiB", flush=True)
    return measured


def record_of(measured: dict, images: int) -> dict:
    """What is kept."""
    import torch

    seconds = {name: round(one[0], 1) for name, one in measured.items()}
    preparing = json.loads(measured["prepare flickr30k"][2])["modalities"]
    return {
        "what": "whole commands from process start to end; the cache is empty before each prepare",
        "images": images,
        "captions": CAPTIONS * images,
        "backbone": "albef:packaged, gtnn:packaged",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "torch": str(torch.__version__),
        "seconds": seconds,
        "seconds of preparing": {one["modality"]: one["seconds"] for one in preparing},
        "seconds of evaluating": json.loads(measured["evaluate"][2]),
        "ratio to what is allowed": {name: round(seconds[name] / ALLOWED[name], 3) for name in ALLOWED},
        "peak memory (MiB)": {name: round(one[1]) for name, one in measured.items()},
        "allowed": {**ALLOWED, "peak memory (MiB)": ALLOWED_MIB},
    }


def main() -> None:
    """Measure; write the record where the size is Flickr30K's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--dir", type=Path, help="where data and cache go; kept")
    parser.add_argument("--stage", choices=("start", "evaluate"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        {"start": start, "evaluate": evaluate}[options.stage](options.dir)
        return
    with tempfile.TemporaryDirectory() as temporary:
        measured = measure_all(options.dir or Path(temporary), options.images)
    text = json.dumps(record_of(measured, options.images), indent=1)
    if options.images == IMAGES:
        (HERE / "scale.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
