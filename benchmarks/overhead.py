"""What the harness costs over a bare PyTorch loop doing the same steps.

Fine-tuning epochs of `albef:packaged` on random features: once through PairData, Learner and CostMeter, once
as a plain loop over the same model, optimiser and indices. The two take turns; the median of each turn's
ratio is the figure.
Run: python benchmarks/overhead.py
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch

from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.core.cost import CostMeter
from mmulbench.core.data import Features, PairData, Relations, Split, Targets
from mmulbench.core.training import Checkpoints, Learner, Phase, descend, no_early_stop, own_loss
from mmulbench.device import use_device

UNITS, BATCH, ROUNDS, ALLOWED = 1024, 128, 20, 1.05
HERE = Path(__file__).parent


def main() -> None:
    """Measure and write the record."""
    device = use_device("cpu")
    torch.manual_seed(0)
    images = {"tokens": torch.randn(UNITS, 9, 1280).half()}
    texts = {"tokens": torch.randn(UNITS, 12, 384).half(), "mask": torch.ones(UNITS, 12, dtype=torch.bool)}
    items = np.arange(UNITS)
    split = Split(items, items)
    data = PairData(
        split, Relations(split), Features({"image": images, "text": texts}, device), ("image", "text")
    )
    model = AlbefBackbone("packaged").build().train()
    learner = Learner(model, list(model.parameters()), lr=1e-4, weight_decay=0.0, meter=CostMeter(device))

    def harness(seed: int) -> None:
        rng = np.random.default_rng(seed)
        epochs = [[Phase(data.epoch(BATCH, rng), own_loss(model), "step")]]
        descend(learner, epochs, lambda: None, no_early_stop(model), Checkpoints())

    def bare(seed: int) -> None:
        order = torch.from_numpy(np.random.default_rng(seed).permutation(UNITS))
        related = torch.eye(BATCH, dtype=torch.bool)
        for rows in order.split(BATCH):
            image = model.encode("image", {"tokens": images["tokens"][rows].float()})
            text = model.encode(
                "text", {"tokens": texts["tokens"][rows].float(), "mask": texts["mask"][rows]}
            )
            loss = model.forward_encoded(image, text, Targets(related)).loss
            learner.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            learner.optimizer.step()

    seconds: dict[str, list[float]] = {"harness": [], "bare loop": []}
    for round_ in range(-1, ROUNDS):
        for name, work in (("harness", harness), ("bare loop", bare)):
            start = time.perf_counter()
            work(round_ + 1)
            if round_ >= 0:  # the first counts FLOPs and warms up
                seconds[name].append(time.perf_counter() - start)
    ratios = [ours / bare for ours, bare in zip(seconds["harness"], seconds["bare loop"], strict=True)]
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    record = {
        "what": f"fine-tuning epoch of albef:packaged, {UNITS} pairs, batch {BATCH}, CPU",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "rounds": ROUNDS,
        "seconds an epoch (median)": {name: round(value, 3) for name, value in medians.items()},
        "ratio (median over rounds)": round(statistics.median(ratios), 3),
        "allowed": ALLOWED,
    }
    text = json.dumps(record, indent=1)
    (HERE / "overhead.json").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
