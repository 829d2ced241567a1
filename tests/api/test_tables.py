"""Pages made of what is remembered are those that are made anew."""

from __future__ import annotations

import shutil

import pytest
from forged import RESULTS

from mmulbench.api import tables as module
from mmulbench.api.tables import make_page
from mmulbench.checked_json import read_checked, write_checked
from mmulbench.core.registry import METHODS
from mmulbench.errors import UsageError
from mmulbench.file_digests import ContentChanged
from mmulbench.records.group_key import GroupKey
from mmulbench.records.store import ResultsStore
from mmulbench.report import kept_tables, leaderboard
from mmulbench.validity import index
from mmulbench.validity.sift import load_valid

COMMAND = "mmulbench leaderboard"


@pytest.fixture
def results(tmp_path):
    """Records of two tasks, of retrain and two methods each."""
    for task in ("emoji", "hpo_pgr"):
        for method in ("retrain", "mmul", "finetune"):
            (source,) = RESULTS.glob(f"{task}/*/{method}")
            shutil.copytree(source, tmp_path / "results" / source.relative_to(RESULTS))
    return tmp_path / "results"


@pytest.fixture
def rendered(monkeypatch) -> list[GroupKey]:
    """Keys of the tables that were rendered."""
    found: list[GroupKey] = []
    for name in ("render_table", "render_paper_table"):
        render = getattr(leaderboard, name)

        def noted(group, *more, render=render):
            found.append(group.key)
            return render(group, *more)

        monkeypatch.setattr(leaderboard, name, noted)
    return found


def page(results, **options):
    arguments = {"task": None, "metrics": None, "command": COMMAND, "cache": results.parent / "cache"}
    return make_page(results, **arguments | options)


def anew(results):
    records, left_out = load_valid(results)
    return leaderboard.render(records, left_out, None, COMMAND, METHODS.names(), results)


def test_a_page_is_the_same_from_memory_and_no_table_is_rendered_again(results, rendered):
    first = page(results).text
    assert len(rendered) == 2
    assert page(results).text == first and len(rendered) == 2
    assert page(results, cache=None).text == first == anew(results)


def test_only_a_table_whose_records_changed_is_rendered_again(results, rendered):
    page(results)
    next(results.glob("hpo_pgr/*/finetune/*.json")).unlink()
    rendered.clear()
    text = page(results).text
    assert [key.task for key in rendered] == ["hpo_pgr"]
    assert text == anew(results)


def test_what_a_page_shows_decides_too(results, rendered, monkeypatch):
    every = [
        page(results).text,
        page(results, metrics=["mia", "test"]).text,
        page(results, metrics=["test", "mia"]).text,
        page(results, paper=True).text,
        page(results, task="emoji").text,
    ]
    monkeypatch.setattr(METHODS, "names", lambda: ["never_run"])
    every.append(page(results).text)
    assert len(set(every)) == 6 and len(rendered) == 11
    assert "`never_run`" in every[-1] and "`never_run`" not in every[0]


def test_other_code_renders_anew(results, rendered, monkeypatch):
    page(results)
    for name in (module, index):
        monkeypatch.setattr(name, "judging_code", lambda: "0" * 64)
    page(results)
    assert len(rendered) == 4


@pytest.mark.parametrize("text", ["{}", "[", '{"key": [], "body": "forged", "paper": null}'])
def test_texts_that_are_none_are_made_again(results, rendered, text):
    first = page(results).text
    (path,) = (results.parent / "cache" / "tables").iterdir()
    known = read_checked(path, kept_tables.FORMAT)
    write_checked(path, kept_tables.FORMAT, dict.fromkeys(known, text))
    assert page(results).text == first and len(rendered) == 4


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
    assert page(results).text == anew(results) and not path.exists()
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
            page(folder, metrics=["retrain_gp"])


def test_a_key_is_the_same_from_its_text(results):
    keys = {GroupKey.of(record.spec) for record in ResultsStore(results).load_all()[0]}
    texts = [entry.known.table for entry in index.RecordIndex(results).entries()]
    assert {GroupKey.of_text(text) for text in texts} == keys and len(keys) == 2
