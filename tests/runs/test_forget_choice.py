from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toys import split_of

from mmulbench.core.backbone import RawItems
from mmulbench.core.data import Split
from mmulbench.core.registry import TASKS
from mmulbench.core.task import Task, TaskData
from mmulbench.errors import UsageError
from mmulbench.runs.forget_choice import ForgetChoice, chosen
from mmulbench.runs.forget_list import parse_request

TEXTS = ("a dog", "a cat", "a bird", "a fish")


class Files:
    names = ("0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "2.jpg")

    def __len__(self) -> int:
        return len(self.names)


@pytest.fixture
def task() -> Task:
    return TASKS.get("snli_ve")()


@pytest.fixture
def data() -> TaskData:
    items = {"image": RawItems(images=Files()), "text": RawItems(texts=TEXTS)}
    pairs = split_of((0, 0), (0, 1), (1, 1), (2, 2), (5, 3))
    train = Split(pairs.first, pairs.second, np.array([0, 1, 1, 2, 0]))
    return TaskData(items, train, split_of((3, 0)), split_of((4, 1)), "")


@pytest.fixture
def choose(tmp_path, task, data):
    def make(text: str = "", name: str = "ids", where: tuple[str, ...] = ()) -> ForgetChoice:
        path: Path = tmp_path / name
        path.write_text(text)
        request = parse_request(None if where else str(path), where, None)
        assert request is not None
        return chosen(request, task, data)

    return make


def test_units_by_their_names(choose, data):
    found = choose("1.jpg\n0.jpg\n1.jpg\n")
    assert found.forget.units.tolist() == [0, 1]
    assert found.forget.forgotten(data.train).rows.tolist() == [0, 1, 2]
    assert found.ids == ("0.jpg", "1.jpg")
    assert found.named is not None and (found.named.level, found.named.pairs) == ("units", 3)


def test_a_name_is_known_however_it_is_written(choose, data):
    files = data.items["image"].images
    files.names = ("Zo\u00eb.jpg", "Zoe\u0308.jpg", *files.names[2:])
    for text in ("Zo\u00eb.jpg\n", " Zoe\u0308.jpg \r\n"):
        assert choose(text).forget.units.tolist() == [0, 1], "both are one name"


def test_a_text_is_known_however_it_is_written(choose, data):
    data.items["text"] = RawItems(texts=(TEXTS[0], "un  cafe\u0301", *TEXTS[2:]))
    listed = choose("unit,text\n1.jpg,un caf\u00e9\n", "ids.csv").forget
    assert listed.forgotten(data.train).rows.tolist() == [2]
    for text in ("un  caf\u00e9", "un  cafe\u0301"):
        assert choose(where=(f"text == '{text}'",)).forget.units.tolist() == [0, 1]


def test_columns_that_say_nothing_are_named(choose):
    (note,) = choose("id,why,when\n0.jpg,asked,today\n", "ids.csv").notes
    assert note.endswith("ids.csv: columns that say nothing here: why, when")


def test_a_name_of_two_items_means_both(choose):
    assert choose("2.jpg\n").forget.units.tolist() == [2, 5]


def test_associations_leave_the_unit_s_other_pairs(choose, data):
    found = choose("image,text\n0.jpg,a  cat\n", "a.csv")
    assert found.forget.forgotten(data.train).rows.tolist() == [1]
    assert found.forget.kept(data.train).rows.tolist() == [0, 2, 3, 4]
    assert found.ids == ("0.jpg\ta cat",)
    assert found.named is not None and (found.named.level, found.named.pairs) == ("pairs", 1)


def test_conditions_choose_units(choose, data):
    assert choose(where=("label == neutral",)).forget.units.tolist() == [0, 1]
    assert choose(where=("label == neutral", "text == 'a cat'")).forget.units.tolist() == [0, 1]
    assert choose(where=("text == a dog",)).forget.forgotten(data.train).rows.tolist() == [0, 1]


def test_a_list_and_a_condition_that_name_the_same_are_the_same(choose):
    assert choose("1.jpg\n0.jpg").named == choose(where=("label == neutral",)).named
    assert choose("1.jpg").named != choose("0.jpg").named
    assert choose("id,text\n1.jpg,a cat\n", "a.csv").named != choose("1.jpg").named


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5.jpg\n", r"1 id is unknown to the data: 5\.jpg; did you mean"),
        (
            "\n".join(f"x{n}" for n in range(12)),
            r"12 ids are unknown to the data: x0, x1, .*, x9 and 2 more; the data's ids look like 0\.jpg",
        ),
        ("4.jpg\n0.jpg\n", r"1 id is not in the training split but in that of test, .*: 4\.jpg"),
        ("3.jpg\n", "in that of validation"),
        ("0.jpg\n1.jpg\n2.jpg\n", "is all 4 training units: nothing is left to keep"),
    ],
)
def test_lists_that_do_not_fit(choose, text, message):
    with pytest.raises(UsageError, match=message):
        choose(text)


def test_associations_that_are_not_there(choose):
    with pytest.raises(UsageError, match="1 association is not in the training split"):
        choose("id,text\n1.jpg,a dog\n0.jpg,a dog\n", "a.csv")
    with pytest.raises(UsageError, match="all training pairs: nothing is left"):
        rows = ["0.jpg,a dog", "0.jpg,a cat", "1.jpg,a cat", "2.jpg,a bird", "2.jpg,a fish"]
        choose("\n".join(["id,text", *rows]), "a.csv")


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("lable == neutral", "there is no column 'lable'; did you mean label"),
        ("label == Neutral", "no training pair has label == 'Neutral'; one has 'entailment'"),
    ],
)
def test_conditions_that_do_not_fit(choose, where, message):
    with pytest.raises(UsageError, match=message):
        choose(where=(where,))
    with pytest.raises(UsageError, match="no training pair satisfies all conditions"):
        choose(where=("label == contradiction", "text == a dog"))


def test_a_gene_means_all_pairs_of_it_that_are_trained_on(tmp_path):
    groups = np.array([[0, 1], [0, 2], [3, 1], [0, 3]])
    nodes = RawItems(texts=("GPI", "Seizure", "Neoplasm", "Ba\u0308r"), groups=groups)
    train = Split(np.array([0, 1, 2]), np.zeros(3, dtype=np.int64), np.array([0, 1, 0]))
    data = TaskData(
        {"graph": nodes, "text": RawItems(texts=("a",))}, train, split_of((3, 0)), split_of((3, 0)), ""
    )
    task, path = TASKS.get("pgr")(), tmp_path / "genes"

    def units_of(*names: str) -> list[int]:
        path.write_text("\n".join(names))
        request = parse_request(str(path), (), None)
        assert request is not None
        return chosen(request, task, data).forget.units.tolist()

    assert units_of("GPI") == [0, 1]
    assert units_of("GPI+Neoplasm", "B\u00e4r") == [1, 2]
    with pytest.raises(UsageError, match="1 id is unknown to the data: GPJ"):
        units_of("GPJ")
    with pytest.raises(UsageError, match="all 3 training units"):
        units_of("GPI", "Seizure")


class TestOtherNames:
    """A task that has further names for its items."""

    @pytest.fixture
    def task(self, task) -> Task:
        others = {"copy.jpg": [2], "cafe\u0301": [2], "two": [0, 1], "0.jpg": [2], "unseen.jpg": [3]}
        many = {f"c{number}": [0] for number in range(11)}
        return type("Renamed", (type(task),), {"other_names": lambda self, data: others | many})()

    def test_they_mean_items_beside_those_called_so(self, choose):
        assert choose("copy.jpg").forget.units.tolist() == [2]
        assert choose("two").forget.units.tolist() == [0, 1]
        assert choose("0.jpg").forget.units.tolist() == [0, 2]
        assert choose("copy.jpg\n2.jpg").forget.units.tolist() == [2, 5]

    def test_a_line_says_what_they_mean(self, choose):
        (line,) = choose("two\n1.jpg\ncopy.jpg\ntwo").notes
        assert line.endswith("repeat: two means 0.jpg and 1.jpg, copy.jpg means 2.jpg")
        (line,) = choose("\n".join(f"c{number}" for number in range(11))).notes
        assert line.endswith("c9 means 0.jpg and 1 more") and line.count("means") == 10
        assert choose("1.jpg").notes == ()
        assert choose("caf\u00e9").notes[0].endswith("caf\u00e9 means 2.jpg")

    def test_associations_are_theirs(self, choose):
        rows = choose("id,text\ntwo,a cat\ncopy.jpg,a bird", "a.csv").forget.rows
        assert rows is not None and rows.tolist() == [1, 2, 3]

    def test_what_nothing_is_trained_on_is_refused(self, choose):
        with pytest.raises(UsageError, match=r"in that of validation, .*: unseen\.jpg"):
            choose("unseen.jpg")
