from __future__ import annotations

import pytest

from mmulbench.audit.folder import PAGE, refuse_filled, write_report
from mmulbench.audit.page import GENERATOR
from mmulbench.errors import MmulbenchError, UsageError

REPORT = f"<!doctype html>\n{GENERATOR}\n<p>first</p>\n"


def test_a_new_or_empty_folder_is_taken(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "a" / "new", tmp_path / "empty"):
        refuse_filled(folder, replace=False)
        assert write_report(folder, REPORT).read_text() == REPORT


def test_a_report_is_written_over_only_where_that_is_asked_for(tmp_path):
    write_report(tmp_path, REPORT)
    with pytest.raises(UsageError, match="holds a report: --replace writes over it"):
        refuse_filled(tmp_path, replace=False)
    refuse_filled(tmp_path, replace=True)
    write_report(tmp_path, REPORT + "again")
    assert (tmp_path / PAGE).read_text().endswith("again")


@pytest.mark.parametrize("name", ["notes.txt", PAGE])
def test_what_is_no_report_is_never_written_over(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"holds more than a report, such as {name}"):
        refuse_filled(tmp_path, replace=True)


def test_a_report_with_something_beside_it_stays(tmp_path):
    write_report(tmp_path, REPORT)
    (tmp_path / "zz").touch()
    with pytest.raises(UsageError, match="such as zz"):
        refuse_filled(tmp_path, replace=True)


def test_a_file_or_a_link_that_leads_nowhere_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(UsageError, match="is no folder"):
            refuse_filled(tmp_path / name, replace=True)


def test_a_page_that_cannot_be_written_leaves_no_folder(tmp_path, monkeypatch):
    def full(*arguments):
        raise MmulbenchError("no space")

    monkeypatch.setattr("mmulbench.audit.folder.write_atomically", full)
    (tmp_path / "there").mkdir()
    for name in ("new", "there"):
        with pytest.raises(MmulbenchError):
            write_report(tmp_path / name, REPORT)
    assert [one.name for one in tmp_path.iterdir()] == ["there"]
