"""A task that lives in another package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmulbench import TASKS, RawItems, Recipe, Split, Task, TaskData, fingerprint

COLOURS = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255), "yellow": (255, 220, 0)}
SHAPES = ("square", "stripes", "frame", "cross", "dot", "corner", "border", "grid", "half", "quarter")


@TASKS.register("outside_task")
class OutsideTask(Task):
    """Coloured shapes with their names: 40 pictures, each with two texts."""

    modalities = ("image", "text")
    default_backbone = "albef:tiny"
    recipe = Recipe(epochs=2, batch_size=16)
    forget_fraction = 0.1

    @dataclass(frozen=True)
    class Config:
        """Settings.

        Attributes:
            size: pixels a side.
        """

        size: int = 32

    def load(self, data_dir, progress):
        """Draw the pictures."""
        names = [(colour, shape) for shape in SHAPES for colour in COLOURS]
        images = np.stack([_draw(colour, shape, self.config.size) for colour, shape in names])
        texts = [f"{colour} {shape}" for colour, shape in names] + list(SHAPES)
        own = [(i, i) for i in range(len(names))]
        shared = [(i, len(names) + SHAPES.index(shape)) for i, (_, shape) in enumerate(names)]
        first, second = np.array(own + shared).T
        pairs = Split(first, second)
        order = np.random.default_rng(0).permutation(len(names))
        parts = [pairs.only(part) for part in (order[:28], order[28:34], order[34:])]
        train, validation, test = (Split(part.first, part.second) for part in parts)
        return TaskData(
            items={"image": RawItems(images=images), "text": RawItems(texts=texts)},
            train=train,
            validation=validation,
            test=test,
            fingerprint=fingerprint([texts, order.tolist(), self.config.size]),
        )


def _draw(colour, shape, size):
    rng = np.random.default_rng(SHAPES.index(shape))
    cells = np.kron(rng.integers(0, 2, (4, 4)), np.ones((size // 4, size // 4)))[..., None]
    return np.where(cells > 0, np.array(COLOURS[colour]), 255).astype(np.uint8)
