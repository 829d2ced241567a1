from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from toys import split_of

from mmulbench.core.backbone import RawItems
from mmulbench.core.data import Split
from mmulbench.core.item_names import names_of
from mmulbench.core.registry import TASKS
from mmulbench.core.task import TaskData


@dataclass
class Files:
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def test_texts_and_nodes_are_called_what_they_say():
    assert names_of(RawItems(texts=("BRCA1", "TP53"), edges=np.zeros((2, 0), dtype=int))) == (
        "BRCA1",
        "TP53",
    )


def test_images_have_their_files_names_or_numbers():
    assert names_of(RawItems(images=Files(("a.jpg", "b.jpg")))) == ("a.jpg", "b.jpg")
    assert names_of(RawItems(images=np.zeros((3, 2, 2, 3)))) == ["0", "1", "2"]


def test_an_item_of_several_images_has_all_their_names():
    images = Files(("a", "b", "c"))
    assert names_of(RawItems(images=images, groups=np.array([[2, 0], [1, 1]]))) == ["c+a", "b+b"]
    assert names_of(RawItems(images=np.zeros((3, 2, 2, 3)), groups=np.array([[2, 0]]))) == ["0"]


def data_of(train: Split) -> TaskData:
    items = {"image": RawItems(images=Files(("a", "b"))), "text": RawItems(texts=("sun", "moon"))}
    return TaskData(items, train, train, train, "")


def test_pairs_can_be_chosen_by_text_and_class():
    task, pairs = TASKS.get("snli_ve")(), split_of((0, 1), (1, 0), (0, 0))
    data = data_of(Split(pairs.first, pairs.second, np.array([2, 0, 1])))
    assert task.pair_columns(data) == {
        "text": ["moon", "sun", "sun"],
        "label": ["contradiction", "entailment", "neutral"],
    }
    assert task.item_names(data, "image") == ("a", "b")


def test_retrieval_has_no_classes_to_choose_by():
    assert TASKS.get("flickr30k")().pair_columns(data_of(split_of((0, 0)))) == {"text": ["sun"]}
