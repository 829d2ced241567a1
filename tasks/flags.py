"""Image-text retrieval on flags: pictures, and what the CIA World Factbook says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmulbench import (
    OFFLINE_INSTALL,
    TASKS,
    DataInfo,
    Progress,
    RawItems,
    Recipe,
    Split,
    TaskData,
    data_fingerprint,
)
from mmulbench.tasks._pictures.factbook_flags import read_flags
from mmulbench.tasks._pictures.picture_task import PictureTask, part_of, read_pictures, split_pictures, spread


@TASKS.register("flags")
class Flags(PictureTask):
    """Flags with the clauses of their descriptions in the CIA World Factbook: image-text retrieval.

    Pictures are Twemoji's flags (72 x 72, on white), matched by the country's name. Texts are written by
    people: what the flag looks like and what its colours and symbols stand for. History and notes, which
    speak of other flags too, are left out, and so are entries that only say whose flag is used.

    A text is a clause (between semicolons or full stops), not the whole caption. A caption says several
    things, each true of the picture by itself, and albef:packaged reads the first ten word pieces of a text:
    that is the beginning of each clause, but would be the first clause of a caption alone. Nearly all texts
    belong to one flag, a few to more.

    70 / 10 / 20 % of the flags are train, validation and test, the same for every seed; there are few flags,
    hence the larger test set. Identical pictures would stay in one split.

    The forget unit is a flag with all its texts.

    Measured values of all methods: leaderboard.md.
    """

    recipe = Recipe(epochs=20, lr=1e-3, weight_decay=0.01, batch_size=64, sampling="pair")
    forget_fraction = 0.1
    info = DataInfo(
        about="233 flag pictures with what the CIA World Factbook says of them, in clauses: human texts.",
        terms="Pictures: CC-BY 4.0. Texts: public domain. README.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (164, 608), "validation": (23, 84), "test": (46, 166)},
        unit="flag",
        pair="clause",
    )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read pictures and descriptions from the installed packages; ``data_dir`` is not used."""
        flags = spread(read_flags("the task flags"), self.config.limit)
        images = read_pictures([flag.file for flag in flags], progress)
        texts: dict[str, int] = {}
        rows = [
            (index, texts.setdefault(text, len(texts)))
            for index, flag in enumerate(flags)
            for text in dict.fromkeys(flag.description + flag.meaning)
        ]
        pairs = Split(*np.array(rows, dtype=np.int64).T.copy())
        parts = split_pictures(images, test=20)
        train, validation, test = (part_of(pairs, part) for part in parts)
        return TaskData(
            items={"image": RawItems(images=images), "text": RawItems(texts=tuple(texts))},
            train=train,
            validation=validation,
            test=test,
            fingerprint=data_fingerprint((images, pairs.first, pairs.second, *parts), list(texts)),
        )
