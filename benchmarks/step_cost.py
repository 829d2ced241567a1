"""What caching the original's outputs saves: an MMUL step with and without it, and with frozen encoders.

`albef:small` (6 image, 4 text, 2 fusion layers of width 192, 64-pixel images), batch 64, random inputs. The
three kinds of step take turns in one process, so that a busy machine slows all of them alike; a process's
figure is the median of each turn's ratio. Since processes differ by more than turns do, several are run one
after the other, all their figures are recorded, and the figure is their median.
Run: python benchmarks/step_cost.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Batch, Features, PairData, Relations, Split
from mmulbench.core.method import UnlearningProblem
from mmulbench.core.model import EncoderOutput, MultimodalModel
from mmulbench.core.original_outputs import OriginalOutputs
from mmulbench.core.training import Learner, Recipe
from mmulbench.device import use_device
from mmulbench.methods.mmul import Mmul
from mmulbench.progress import Progress

BATCH, UNITS, ROUNDS, PROCESSES = 64, 256, 12, 7
HERE = Path(__file__).parent


class Recomputed(OriginalOutputs):
    """The original's outputs computed in every step, as the paper's released code does."""

    @torch.no_grad()
    def encoded(self, modality: str, items: Tensor) -> EncoderOutput:
        """Run the original's encoder."""
        return self._original.encode(modality, self._features.gather(modality, items))

    def unimodal(self, modality: str, items: Tensor) -> Tensor:
        """Run the original's encoder."""
        return self.encoded(modality, items).pooled

    @torch.no_grad()
    def fused(self, batch: Batch) -> Tensor:
        """Run the whole original."""
        return self._original.fuse(*self.encoded_batch(batch))


def make_problem(recompute: bool) -> UnlearningProblem:
    """Return a problem over random images and texts with an untrained model: timing needs no more."""
    device = use_device("cpu")
    torch.manual_seed(0)
    backbone = AlbefBackbone("small")
    config = backbone.config
    model: MultimodalModel = backbone.build().eval().requires_grad_(False)
    pixels = torch.randint(0, 256, (UNITS, config.image_size, config.image_size, 3), dtype=torch.uint8)
    ids = torch.randint(1000, 20_000, (UNITS, config.text_length), dtype=torch.int32)
    texts = {"ids": ids, "mask": torch.ones(ids.shape, dtype=torch.bool)}
    features = Features({"image": {"pixels": pixels}, "text": texts}, device)
    items = np.arange(UNITS)
    split = Split(items, items)
    relations, meter = Relations(split), CostMeter(device)
    kind = Recomputed if recompute else OriginalOutputs
    outputs = kind(model, split, features, lambda compute: compute(), meter)
    halves = (split.only(items[:128]), split.without(items[:128]))
    forget, retain = (PairData(half, relations, features, model.modalities) for half in halves)
    return UnlearningProblem(
        original=model,
        forget=forget,
        retain=retain,
        validation=retain,
        outputs=outputs,
        recipe=Recipe(),
        seed=0,
        fresh_model=lambda seed: backbone.build(),
        meter=meter,
        progress=Progress(),
    )


def stepper(recompute: bool, trainable: str) -> Callable[[], float]:
    """Return a function that makes one MMUL step and returns its seconds."""
    problem = make_problem(recompute)
    method = Mmul(Mmul.Config(trainable=trainable, batch_size=BATCH))  # type: ignore[arg-type]
    model = problem.copy_of_original().train()
    learner: Learner = problem.learner(model, method.config.lr, method.trainable())
    batches: Iterator[tuple[Batch, Batch]] = problem.paired_epochs(1000, BATCH)

    def step() -> float:
        batch = next(batches)
        start = time.perf_counter()
        learner.step(batch, lambda f, r: method.loss(model, f, r, problem), kind="step")
        return time.perf_counter() - start

    return step


def measure() -> dict[str, list[float]]:
    """By kind of step, the seconds of each round."""
    kinds = {"recomputed": (True, "all"), "cached": (False, "all"), "cached, fusion only": (False, "fusion")}
    steppers = {name: stepper(*arguments) for name, arguments in kinds.items()}
    for step in steppers.values():
        step(), step()  # the first counts FLOPs and fills the cache
    seconds: dict[str, list[float]] = {name: [] for name in steppers}
    for _ in range(ROUNDS):
        for name, step in steppers.items():
            seconds[name].append(step())
    return seconds


def main() -> None:
    """Measure and write the record."""
    found = []
    for number in range(PROCESSES):
        print(f"process {number + 1} of {PROCESSES}", flush=True)
        made = subprocess.run([sys.executable, __file__, "--once"], stdout=subprocess.PIPE, check=True)
        found.append(json.loads(made.stdout))
    ratios = {
        name: [round(statistics.median(np.divide(one[name], one["recomputed"])), 3) for one in found]
        for name in found[0]
        if name != "recomputed"
    }
    record = {
        "what": "MMUL step, albef:small, batch 64, CPU; ratio to recomputing the original's outputs",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "rounds": ROUNDS,
        "seconds a step (median)": {
            name: round(statistics.median(second for one in found for second in one[name]), 3)
            for name in found[0]
        },
        "ratio of each process (median over rounds)": ratios,
        "ratio (median over processes)": {name: statistics.median(values) for name, values in ratios.items()},
        "allowed": {"cached": 0.72, "cached, fusion only": 0.25},
    }
    text = json.dumps(record, indent=1)
    (HERE / "step_cost.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--once"]:
        print(json.dumps(measure()))
    else:
        main()
