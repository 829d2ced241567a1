"""Retrieve flags by what the CIA World Factbook says of them."""

from __future__ import annotations

from pathlib import Path

from mmulbench import OFFLINE_INSTALL, TASKS, DataInfo, Progress, Recipe, TaskData
from mmulbench.tasks._pictures.factbook_flags import read_flags
from mmulbench.tasks._pictures.near_twins import distinct_pictures
from mmulbench.tasks._pictures.picture_task import PictureTask, caption_data, split_pictures, spread


@TASKS.register("flags")
class Flags(PictureTask):
    """Asks which clauses of the CIA World Factbook describe which flag: image-text retrieval.

    Pictures are Twemoji's flags (72 x 72, on white), matched by the country's name, and one of each set of
    near twins, such as the flags of Indonesia and Monaco (`distinct_pictures`). Texts are written by
    people: what the flag looks like and what its colours and symbols stand for. History and notes, which
    speak of other flags too, are left out, and so are entries that only say whose flag is used.

    A text is a clause (between semicolons or full stops), not the whole caption. A caption says several
    things, each true of the picture by itself. Since albef:packaged reads the first ten word pieces of a
    text, it would read the first clause of a caption alone. Nearly all texts belong to one flag, a few to
    more.

    70 / 10 / 20 % of the flags are train, validation and test, the same for every seed. The test set is
    larger than elsewhere because there are few flags.

    The forget unit is a flag with all its texts.

    The task is a small demonstration: no attack can judge a forget set of its default size, and there are too
    few flags in the world for a larger one that leaves most of them. leaderboard.md holds no values of it.
    """

    recipe = Recipe(epochs=20, lr=1e-3, weight_decay=0.01, batch_size=64, sampling="pair")
    forget_fraction = 0.1
    info = DataInfo(
        about="221 flag pictures with what the CIA World Factbook says of them, in clauses: human texts.",
        terms="Pictures: CC-BY 4.0. Texts: public domain. docs/licences.md has the attribution.",
        source=OFFLINE_INSTALL,
        sizes={"train": (155, 581), "validation": (22, 83), "test": (44, 163)},
        unit="flag",
        pair="clause",
    )

    def load(self, data_dir: Path, progress: Progress) -> TaskData:
        """Read pictures and descriptions from the installed packages; ``data_dir`` is not used."""
        flags, images = distinct_pictures(spread(read_flags("the task flags"), self.config.limit), progress)
        captions = [dict.fromkeys(flag.description + flag.meaning) for flag in flags]
        return caption_data(images, captions, split_pictures(images, test=20))
