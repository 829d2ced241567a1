"""What data of Flickr30K's size costs: to prepare, to start a run on, to evaluate on; and all of HPO.

Pictures and captions are made up: as many as Flickr30K has, in its layout. Each stage runs in a process of
its own, so that its peak memory is its own; pages of files that are mapped count where they were read.
Takes most of an hour on two cores. Run: python benchmarks/scale.py [--images 500] [--dir FOLDER]
Or all of HPO alone, whose numbers replace the recorded ones: python benchmarks/scale.py --relations
Or the evaluation alone, in the same way: python benchmarks/scale.py --evaluation [--dir FOLDER]
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
ALLOWED_MIB = 3 * 10**9 // 2**20
WORDS: tuple[str, ...] = (
    "a",
    "the",
    "two",
    "young",
    "man",
    "woman",
    "child",
    "dog",
    "boat",
    "street",
    "red",
    "blue",
    "large",
)
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
HPO_PAIRS = 245_265
"""Pairs of a gene's symbol and a phenotype in HPO's release 2025-01-16; "-" counts as one symbol."""


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
    """Return the wall seconds, the peak memory (MiB) and the standard output of a command.

    Raises:
        SystemExit: The command failed.
    """
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
    from mmulbench.cache.artifacts import ArtifactCache
    from mmulbench.core.registry import TASKS
    from mmulbench.device import use_device
    from mmulbench.records.store import ResultsStore
    from mmulbench.runs.backbones import find_backbone
    from mmulbench.runs.prepare import Workspace, prepare

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
    """Measure an untrained model on test, retain and forget set; return the seconds of each part."""
    from mmulbench import RetrievalModel
    from mmulbench.core.forget_set import ForgetSet
    from mmulbench.evaluation.measure import measure
    from mmulbench.evaluation.retrieval import evaluate_retrieval
    from mmulbench.progress import Progress
    from mmulbench.runs.references import fresh_model
    from mmulbench.runs.scenario import Scenario

    found = prepared(root)
    size = found.task.forget_size(found.data, None)
    forget = found.task.forget_units(found.data, size, seed=0)
    sets = Scenario(found, ForgetSet(forget), seed=0).sets
    model = fresh_model(found, 0).eval()
    assert isinstance(model, RetrievalModel)
    begin = time.perf_counter()
    test = sets.splits["test"]
    evaluate_retrieval(model, test, sets.relations, sets.features, sets.rerank, Progress(), "", sets.gallery)
    middle = time.perf_counter()
    measure(model, sets, 0, Progress())
    end = time.perf_counter()
    parts = {"retrieval on the test set": middle - begin, "all sets": end - middle}
    print(json.dumps({name: round(seconds, 1) for name, seconds in parts.items()}))


def relations(root: Path) -> None:
    """How many gene-phenotype pairs of all of HPO are asked for, and how many are edges.

    Raises:
        SystemExit: they are fewer than HPO has.
    """
    from mmulbench.progress import Progress
    from mmulbench.tasks.hpo_pgr import HpoPgr

    data = HpoPgr(HpoPgr.Config(subjects=0, phenotypes=0, relations=0)).load(root, Progress())
    edges_of_graph = data.items["graph"].edges
    assert edges_of_graph is not None
    source, target = edges_of_graph
    phenotypes = len(data.items["text"])  # the first nodes; the others are genes
    labels = [split.label for split in (data.train, data.validation, data.test)]
    asked = sum(int(label.sum()) for label in labels if label is not None)
    edges = int(((source >= phenotypes) & (target < phenotypes)).sum())
    if asked + edges < HPO_PAIRS:
        raise SystemExit(f"hpo_pgr holds {asked + edges:,} of HPO's {HPO_PAIRS:,} gene-phenotype pairs")
    others = len(data.items["graph"]) - asked
    print(json.dumps({"asked for": asked, "edges of the graph": edges, "non-relations": others}))


def measure_all(root: Path, images: int) -> dict:
    """Every stage's seconds, peak memory and what it printed."""
    return measure(stages_of(root, images)) | measure_relations(root)


def measure_evaluation(root: Path, images: int) -> dict:
    """Measure the evaluation alone; prepare what it needs where it is missing."""
    stages = stages_of(root, images)
    timed(*stages["prepare flickr30k"])
    return measure({"evaluate": stages["evaluate"]})


def stages_of(root: Path, images: int) -> dict[str, list[str]]:
    """Return the commands of the stages on Flickr30K's size; write its data where it is missing."""
    if not (root / "flickr30k" / "dataset_flickr30k.json").exists():
        write_data(root, images)
    here = [str(Path(__file__)), "--dir", str(root), "--stage"]
    folders = ["--data-dir", str(root), "--cache-dir", str(root / "cache"), "--json"]
    return {
        "prepare flickr30k": ["-m", "mmulbench", "data", "prepare", "flickr30k", *folders],
        "start a run": [*here, "start"],
        "evaluate": [*here, "evaluate"],
    }


def measure_relations(root: Path) -> dict:
    """Return the commands of the stages on all of HPO."""
    prepare = ["data", "prepare", "hpo_pgr"]
    run = ["run", "-t", "hpo_pgr", "-m", "original", "--no-reference", "--set", "recipe.epochs=1"]
    run += ["--device", "cpu", "--results-dir", str(root / "results")]
    folders = ["--data-dir", str(root), "--cache-dir", str(root / "cache"), "--json"]
    stages = {
        "prepare hpo_pgr, all relations": ["-m", "mmulbench", *prepare, *HPO, *folders],
        "train for an epoch and evaluate, all relations": ["-m", "mmulbench", *run, *HPO, *folders],
        "count all relations": [str(Path(__file__)), "--dir", str(root), "--stage", "relations"],
    }
    return measure(stages)


def measure(stages: dict[str, list[str]]) -> dict:
    """Run each stage, and say what it cost."""
    measured = {}
    for name, words in stages.items():
        measured[name] = timed(*words)
        print(f"{name}: {measured[name][0]:.1f} s, {measured[name][1]:.0f} MiB", flush=True)
    return measured


def record_of(measured: dict, images: int) -> dict:
    """Return the record that is kept."""
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
        "all relations": relations_record(measured),
        "ratio to what is allowed": {name: round(seconds[name] / ALLOWED[name], 3) for name in ALLOWED},
        "peak memory (MiB)": {name: round(one[1]) for name, one in measured.items()},
        "allowed": {**ALLOWED, "peak memory (MiB)": ALLOWED_MIB},
    }


def relations_record(measured: dict) -> dict:
    """How many relations there are, and the threads that their stages had."""
    import torch

    return {**json.loads(measured["count all relations"][2]), "threads": torch.get_num_threads()}


def replace_relations(file: Path, measured: dict) -> str:
    """Put these numbers of all of HPO into the record; the others stay."""
    return json.dumps(replaced(file, measured) | {"all relations": relations_record(measured)}, indent=1)


def replace_evaluation(file: Path, measured: dict) -> str:
    """Put these numbers of the evaluation into the record; the others stay."""
    record = replaced(file, measured)
    record["seconds of evaluating"] = json.loads(measured["evaluate"][2])
    record["allowed"]["peak memory (MiB)"] = ALLOWED_MIB
    record.pop("note", None)  # it was about the evaluation
    return json.dumps(record, indent=1)


def replaced(file: Path, measured: dict) -> dict:
    """Put these seconds and peaks into the record."""
    record = json.loads(file.read_text(encoding="utf-8"))
    record["seconds"] |= {name: round(one[0], 1) for name, one in measured.items()}
    record["peak memory (MiB)"] |= {name: round(one[1]) for name, one in measured.items()}
    return record


def main() -> None:
    """Measure; write the record where the size is Flickr30K's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--dir", type=Path, help="where data and cache go; kept")
    parser.add_argument("--relations", action="store_true", help="all of HPO alone")
    parser.add_argument("--evaluation", action="store_true", help="the evaluation alone")
    parser.add_argument("--stage", choices=("start", "evaluate", "relations"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        {"start": start, "evaluate": evaluate, "relations": relations}[options.stage](options.dir)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.dir or Path(temporary)
        if options.relations:
            measured = measure_relations(folder)
        elif options.evaluation:
            measured = measure_evaluation(folder, options.images)
        else:
            measured = measure_all(folder, options.images)
    if options.evaluation and options.images != IMAGES:
        return
    if options.relations:
        text = replace_relations(HERE / "scale.json", measured)
    elif options.evaluation:
        text = replace_evaluation(HERE / "scale.json", measured)
    else:
        text = json.dumps(record_of(measured, options.images), indent=1)
    if options.images == IMAGES:
        (HERE / "scale.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
