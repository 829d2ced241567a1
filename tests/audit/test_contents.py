"""What is shown of the chosen units is theirs, and where it cannot be shown it is said why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from forged import forged

from mmulbench.audit.contents import MOST_TEXTS, Sources, find_examples
from mmulbench.audit.rankings import Rankings
from mmulbench.core.registry import TASKS
from mmulbench.errors import UsageError
from mmulbench.hashing import canonical_json
from mmulbench.progress import Progress
from mmulbench.records.rankings import Rankings as Places
from mmulbench.records.unit_files import UnitScores, digest_of, rankings_in, unit_file
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
def loaded(task, data):
    """The data, which need not be loaded again."""
    return {canonical_json(["emoji", {"limit": LIMIT}]): (task, data)}


@pytest.fixture
def place(tmp_path):
    return tmp_path / "record.json", Sources(tmp_path, tmp_path / "cache", None, Progress())


def scores(units, name="matching"):
    """Scores of units on one path, which grow with the unit."""
    units, text = np.array(sorted(units)), np.full(len(units), "forget")
    numbers = {"score": units * 1.0, "original_score": np.zeros(len(units)), "retrain_score": units * 0.5}
    return UnitScores(text, units, np.full(len(units), name), np.ones(len(units), np.int64), numbers)


def record_of(task_name, config, data, path, forgotten, changes=None, rankings=None):
    """A record of a task with its scores beside it, and perhaps rankings."""
    path_of = [one.path[0] for one in (rankings or {}).values()]
    content = scores(forgotten, *path_of[:1]).to_parquet(rankings)
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


def places_of(rows, path="matching", probability=None):
    """First places on a path: unit, side, what searches, place, what is found, whether it is right."""
    unit, side, item, place, found, right = (np.array(column) for column in zip(*rows, strict=True))
    names, shares = np.full(len(rows), path), np.full(len(rows), np.nan)
    shares = shares if probability is None else np.array(probability)
    return Places(unit, names, side, item, place, found, right.astype(bool), shares)


def test_what_each_model_ranks_first_is_shown_in_its_order(task, data, place, loaded):
    path, sources = place
    forgotten = drawn(task, data)
    unit = forgotten[1]
    own = [int(one) for one in data.train.second[data.train.first == unit]]
    others = [int(one) for one in data.test.second[:4]]
    before, after = [*own[:2], others[0]], [others[1], own[1], others[2], others[3], own[0]]
    rankings = {
        name: places_of(
            [(unit, 0, unit, rank, item, item in own) for rank, item in enumerate(found, 1)][::-1]
            + [(unit, 1, own[0], rank, item, item == unit) for rank, item in enumerate((3, unit), 1)]
        )
        for name, found in (("original", before), ("unlearned", after))
    }
    record = record_of("emoji", {"limit": LIMIT}, data, path, forgotten, None, rankings)
    found = find_examples(record, path, replace(sources, loaded=loaded))
    assert (found.unranked, found.among, [one.chosen.unit for one in found.shown]) == ("", 1, [unit])
    for_image, for_text = found.shown[0].rankings
    texts = data.items["text"].texts
    assert [(one.text, one.is_true) for one in for_image.before] == [(texts[i], i in own) for i in before]
    assert [(one.text, one.is_true) for one in for_image.after] == [(texts[i], i in own) for i in after]
    assert for_image.retrain == () and for_image.title == "Texts for this image, matching path"
    assert for_text.title == f"Images for “{texts[own[0]]}”, matching path"
    assert [one.is_true for one in for_text.before] == [False, True]
    assert for_text.before[1].text == texts[own[0]]
    assert for_text.before[0].pictures[0].startswith("data:image/jpeg;base64,")


@pytest.mark.parametrize(
    ("side", "other", "rank", "found", "fault"),
    [
        (0, 0, 1, 10**6, "there is no item 1000000: there are "),
        (1, 0, 1, LIMIT, "there is no item 40: there are 40, the first is 0"),
        (0, 1, 1, 0, "unit {unit} with item {item} is not in the forget set"),
        (1, 10**9, 1, 0, "unit {unit} with item {item} is not in the forget set"),
        (0, 0, 9, 0, "9 is no place"),
    ],
)
def test_numbers_out_of_range_are_named_and_all_else_is_shown(
    task, data, place, loaded, side, other, rank, found, fault
):
    path, sources = place
    forgotten = drawn(task, data)
    unit = forgotten[0]
    item = other + (unit if side == 0 else int(data.train.second[data.train.first == unit][0]))
    rankings = {"original": places_of([(unit, side, item, rank, found, False)])}
    record = record_of("emoji", {"limit": LIMIT}, data, path, forgotten, None, rankings)
    examples = find_examples(record, path, replace(sources, loaded=loaded))
    assert fault.format(unit=unit, item=item) in examples.unranked
    assert len(examples.shown) == SIZE and all(one.rankings == () and one.texts for one in examples.shown)


def test_without_rankings_the_rest_is_shown(task, data, place, loaded):
    path, sources = place
    record = record_of("emoji", {"limit": LIMIT}, data, path, drawn(task, data))
    found = find_examples(record, path, replace(sources, loaded=loaded))
    assert found.unranked == "none were kept with the record" and len(found.shown) == SIZE


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


def test_classes_are_shown_with_their_probabilities(kept, place):
    path, sources = place
    task = TASKS.get("pgr")()
    data = task.load(kept, Progress())
    units = [int(unit) for unit in task.forget_units(data, SIZE, SEED)]
    row = int(np.flatnonzero(data.train.first == units[0])[0])
    label, text = int(data.train.label[row]), int(data.train.second[row])
    rows = [(units[0], 0, text, rank, one, one == label) for rank, one in enumerate((1 - label, label), 1)]
    places = places_of(rows, "classification", [0.75, 0.25])
    record = record_of("pgr", dict(vars(task.config)), data, path, units, None, {"retrain": places})
    kept_data = {canonical_json(["pgr", record.spec.task_config]): (task, data)}
    (one,) = find_examples(record, path, replace(sources, loaded=kept_data)).shown
    (ranking,) = one.rankings
    shown = [(place.text, place.is_true, place.probability) for place in ranking.retrain]
    assert shown == [(task.classes[1 - label], False, 0.75), (task.classes[label], True, 0.25)]
    assert ranking.before == () and ranking.title.startswith("Classes of “")


def test_pairs_of_a_unit_keep_their_order(task, data):
    unit = int(data.train.first[0])
    texts = [int(one) for one in data.train.second[data.train.first == unit]][:3][::-1]
    places = places_of([(unit, 1, text, 1, unit, True) for text in texts])
    content = scores([unit]).to_parquet({"original": places})
    found = Rankings(task, data, data.train).of(rankings_in(content, unit_file(Path("x.json"))), [unit])
    said = [one.title for one in found[unit]]
    assert said == [f"Images for “{data.items['text'].texts[text]}”, matching path" for text in texts]
