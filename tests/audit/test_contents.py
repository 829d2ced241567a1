"""What is shown of the chosen units is theirs, and where it cannot be shown it is said why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forged import forged

from mmulbench.audit.contents import MOST_TEXTS, Sources, find_examples
from mmulbench.core.registry import TASKS
from mmulbench.errors import UsageError
from mmulbench.progress import Progress
from mmulbench.records.unit_files import UnitScores, digest_of, unit_file
from mmulbench.runs.forget_choice import chosen
from mmulbench.runs.forget_list import parse_request

LIMIT, SIZE, SEED = 40, 3, 42


@pytest.fixture(scope="module")
def task():
    cls = TASKS.get("emoji")
    return cls(cls.Config(**{"limit": LIMIT}))


@pytest.fixture(scope="module")
def data(task, tmp_path_factory):
    return task.load(tmp_path_factory.mktemp("data"), Progress())


@pytest.fixture
def place(tmp_path):
    return tmp_path / "record.json", Sources(tmp_path, tmp_path / "cache", None, Progress())


def scores(units):
    """Scores of units on one path, which grow with the unit."""
    units, text = np.array(sorted(units)), np.full(len(units), "forget")
    numbers = {"score": units * 1.0, "original_score": np.zeros(len(units)), "retrain_score": units * 0.5}
    return UnitScores(text, units, np.full(len(units), "matching"), np.ones(len(units), np.int64), numbers)


def record_of(task_name, config, data, path, forgotten, changes=None):
    """A record of a task with its scores beside it."""
    content = scores(forgotten).to_parquet()
    unit_file(path).write_bytes(content)
    spec = {"task": task_name, "task_config": config, "data_fingerprint": data.fingerprint, "seed": SEED}
    spec |= {"forget_size": len(forgotten)}
    fields = {f"spec.{key}": value for key, value in spec.items()}
    return forged({**fields, "units": digest_of(content), **(changes or {})})


def drawn(task, data):
    return [int(unit) for unit in task.forget_units(data, SIZE, SEED)]


def test_pictures_and_texts_are_those_of_the_units(task, data, place):
    path, sources = place
    record = record_of("emoji", {"limit": LIMIT}, data, path, drawn(task, data))
    found = find_examples(record, path, sources)
    assert not found.reason and len(found.shown) == SIZE
    train = data.train
    for one in found.shown:
        texts = [data.items["text"].texts[text] for text in train.second[train.first == one.chosen.unit]]
        assert one.texts == tuple(texts[:MOST_TEXTS]) and one.more == len(texts) - MOST_TEXTS
        assert len(one.pictures) == 1 and one.pictures[0].startswith("data:image/jpeg;base64,")
        assert one.name == ""
        assert one.chosen.scores == (("matching", 0.0, one.chosen.unit * 1.0, one.chosen.unit * 0.5),)
    assert [one.chosen.kind for one in found.shown] == ["most changed", "typical", "least changed"]


def test_single_pairs_of_a_list_are_shown_alone(task, data, place, tmp_path):
    path, sources = place
    text = int(data.train.second[0])
    unit, words = int(data.train.first[0]), data.items["text"].texts[text]
    (tmp_path / "list.csv").write_text(f"unit,text\n{unit},{words}\n")
    request = parse_request(str(tmp_path / "list.csv"), (), None)
    assert request is not None
    choice = chosen(request, task, data)
    record = record_of(
        "emoji", {"limit": LIMIT}, data, path, [unit], {"spec.forget": choice.named.model_dump()}
    )
    (one,) = find_examples(record, path, replace(sources, request=request)).shown
    assert (one.chosen.unit, one.texts, one.more) == (unit, (words,), 0)
    assert "--forget" in find_examples(record, path, sources).reason
    (tmp_path / "list.csv").write_text(
        f"unit,text\n{unit},{data.items['text'].texts[int(data.train.second[1])]}\n"
    )
    other = replace(sources, request=parse_request(str(tmp_path / "list.csv"), (), None))
    with pytest.raises(UsageError, match="names another forget set than the record: its digest begins with"):
        find_examples(record, path, other)


def test_a_list_for_a_drawn_forget_set_is_refused(task, data, place):
    path, sources = place
    record = record_of("emoji", {"limit": LIMIT}, data, path, drawn(task, data))
    request = parse_request(None, ["text == flag"], None)
    with pytest.raises(UsageError, match="was drawn by the seed: leave out --forget"):
        find_examples(record, path, replace(sources, request=request))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"units": None}, "no scores by unit were kept with the record"),
        ({"units": "0" * 64}, "it is not the file that its record names"),
        ({"spec.data_fingerprint": "e" * 64}, "the data are others today than those of the run"),
        ({"spec.task": "elsewhere"}, "the data cannot be read here: unknown task 'elsewhere'"),
        ({"spec.task_config": {"colour": 1}}, "the task emoji has other settings today"),
        ({"spec.task": "flickr30k", "spec.task_config": {}}, "the data cannot be read here: "),
        ({"spec.seed": 43}, "the scores by unit are not those of this forget set"),
    ],
)
def test_where_nothing_can_be_shown_it_says_why(task, data, place, changes, reason):
    path, sources = place
    record = record_of("emoji", {"limit": LIMIT}, data, path, drawn(task, data), changes)
    found = find_examples(record, path, sources)
    assert found.shown == () and reason in found.reason


def test_a_file_of_scores_that_is_gone_is_named(task, data, place):
    path, sources = place
    record = record_of("emoji", {"limit": LIMIT}, data, path, drawn(task, data))
    unit_file(path).unlink()
    assert "it is gone" in find_examples(record, path, sources).reason


def test_graphs_show_names_and_classes(kept, place):
    path, sources = place
    task = TASKS.get("pgr")()
    data = task.load(kept, Progress())
    units = task.forget_units(data, SIZE, SEED)
    record = record_of("pgr", dict(vars(task.config)), data, path, [*map(int, units)])
    found = find_examples(record, path, replace(sources, data_dir=kept))
    assert len(found.shown) == SIZE, found.reason
    graph = data.items["graph"]
    for one in found.shown:
        assert one.name == " and ".join(graph.texts[part] for part in graph.groups[one.chosen.unit])
        assert one.pictures == () and any(f"(class: {name})" in one.texts[0] for name in task.classes)
