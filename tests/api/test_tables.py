"""Pages made of what is remembered are those that are made anew."""

from __future__ import annotations

import shutil

import pytest
from forged import RESULTS

from mmulbench.api import tables as module
from mmulbench.api.tables import Wanted, read_tables
from mmulbench.checked_json import read_checked, write_checked
from mmulbench.core.registry import METHODS
from mmulbench.errors import UsageError
from mmulbench.file_digests import ContentChanged
from mmulbench.records.group_key import GroupKey
from mmulbench.records.store import ResultsStore
from mmulbench.report import kept_tables, leaderboard
from mmulbench.report.forms import WRITERS
from mmulbench.report.page import PageLook, paper_page
from mmulbench.report.standing_view import View
from mmulbench.validity import index
from mmulbench.validity.sift import load_valid

COMMAND = "mmulbench leaderboard"


@pytest.fixture
def results(tmp_path):
    """Records of two tasks, of retrain and two methods each."""
    for task in ("emoji", "hpo_pgr"):
        for method in ("retrain", "mmul", "finetune"):
            (source,) = RESULTS.glob(f"{task}/*-packaged/{method}")
            shutil.copytree(source, tmp_path / "results" / source.relative_to(RESULTS))
    return tmp_path / "results"


@pytest.fixture
def rendered(monkeypatch) -> list[GroupKey]:
    """Keys of the tables that were rendered."""
    found: list[GroupKey] = []
    render = leaderboard.render_table

    def noted(group, *more):
        found.append(group.key)
        return render(group, *more)

    monkeypatch.setattr(leaderboard, "render_table", noted)
    return found


def read(results, cache="cache", **wanted):
    return read_tables(Wanted(results, **wanted), cache=cache and results.parent / cache)


def page(results, cache="cache", view=None, **wanted):
    tables = read(results, cache, **wanted)
    look = PageLook(COMMAND, view or View(only_columns="metrics" in wanted), results)
    return WRITERS["md"](tables, look)


def anew(results):
    records, left_out = load_valid(results)
    return leaderboard.render(records, left_out, None, COMMAND, METHODS.names(), results)


def test_a_page_is_the_same_from_memory_and_no_table_is_rendered_again(results, rendered):
    first = page(results)
    assert len(rendered) == 2
    assert page(results) == first and len(rendered) == 2
    assert page(results, cache=None) == first == anew(results)


def test_only_a_table_whose_records_changed_is_rendered_again(results, rendered):
    page(results)
    next(results.glob("hpo_pgr/*/finetune/*.json")).unlink()
    rendered.clear()
    text = page(results)
    assert [key.task for key in rendered] == ["hpo_pgr"]
    assert text == anew(results)


def test_what_a_page_shows_decides_too(results, rendered, monkeypatch):
    every = [
        page(results),
        page(results, metrics=("mia", "test")),
        page(results, metrics=("test", "mia")),
        page(results, seeds=(21, 42)),
    ]
    monkeypatch.setattr(METHODS, "names", lambda: ["never_run"])
    every.append(page(results))
    assert len(set(every)) == 5 and len(rendered) == 10
    assert "`never_run`" in every[-1] and "`never_run`" not in every[0]


def test_no_form_order_or_choice_of_rows_reads_a_record_again(results, rendered, monkeypatch):
    first = read(results)
    rendered.clear()
    monkeypatch.setattr(module, "content_of", lambda entry: pytest.fail(f"{entry.path} is read"))
    for form in WRITERS:
        assert WRITERS[form](read(results), PageLook(COMMAND, View(), results))
    for view in (View("cost"), View(wide=True), View(methods=("mmul",))):
        assert WRITERS["csv"](read(results), PageLook(COMMAND, view, results))
    assert paper_page([table.paper for table in read(results).texts], COMMAND)
    assert [one.key.task for one in read(results, task="emoji").texts] == ["emoji"]
    assert read(results) == first and rendered == []


def test_a_seed_chooses_records_and_an_unknown_one_is_refused(results):
    (table,) = read(results, task="emoji", seeds=(42,)).texts
    assert table.standing.seeds == (42,) and "1 seed" in table.standing.why_not
    with pytest.raises(UsageError, match=r"no records of seed 5 in .*; there are 13, 21, 42, 87, 100"):
        read(results, seeds=(42, 5))


def test_other_code_renders_anew(results, rendered, monkeypatch):
    page(results)
    for name in (module, index):
        monkeypatch.setattr(name, "judging_code", lambda: "0" * 64)
    page(results)
    assert len(rendered) == 4


@pytest.mark.parametrize("text", ["{}", "[", '{"key": [], "details": "forged", "paper": null}'])
def test_texts_that_are_none_are_made_again(results, rendered, text):
    first = page(results)
    (path,) = (results.parent / "cache" / "tables").iterdir()
    known = read_checked(path, kept_tables.FORMAT)
    write_checked(path, kept_tables.FORMAT, dict.fromkeys(known, text))
    assert page(results) == first and len(rendered) == 4


def test_what_is_written_meanwhile_is_read_anew(results, monkeypatch):
    (path,) = list(results.glob("hpo_pgr/*/finetune/*.json"))[:1]
    content_of, changes = index.content_of, [True]

    def changing(entry):
        if changes:
            changes.pop()
            path.unlink()
            raise ContentChanged("changed")
        return content_of(entry)

    monkeypatch.setattr(index, "MOST_FRESH", 0)
    monkeypatch.setattr(module, "content_of", changing)
    assert page(results) == anew(results) and not path.exists()
    changes.extend([True] * 9)
    monkeypatch.setattr(module, "content_of", lambda entry: changing(entry))
    monkeypatch.setattr(type(path), "unlink", lambda *_, **__: None)
    with pytest.raises(ContentChanged):
        page(results, cache=None)


def test_unknown_names_are_refused(results, tmp_path):
    with pytest.raises(UsageError, match=r"no records of task 'emojy'.*emoji"):
        page(results, task="emojy")
    for folder in (results, tmp_path / "empty"):
        with pytest.raises(UsageError, match="unknown metric 'retrain_gp'"):
            page(folder, metrics=("retrain_gp",))


def test_a_key_is_the_same_from_its_text(results):
    keys = {GroupKey.of(record.spec) for record in ResultsStore(results).load_all()[0]}
    texts = [entry.known.table for entry in index.RecordIndex(results).entries()]
    assert {GroupKey.of_text(text) for text in texts} == keys and len(keys) == 2
