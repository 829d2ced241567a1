from __future__ import annotations

import errno
from pathlib import Path

import pytest

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.owners import this_owner
from mmulbench.site.folder import differing, refuse_others, write_site
from mmulbench.site.skeleton import GENERATOR, INDEX

PAGE = f"<!doctype html>\n{GENERATOR}\n<p>first</p>\n"
PAGES = [(INDEX, PAGE), ("runs/0a.html", PAGE), ("runs/0b.html", PAGE)]


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["a/new", "empty"])
def test_a_new_or_empty_folder_is_taken(tmp_path, name):
    (tmp_path / "empty").mkdir()
    refuse_others(tmp_path / name, replace=False)
    assert write_site(tmp_path / name, PAGES) == tmp_path / name / INDEX
    assert names(tmp_path / name) == [address for address, _ in PAGES]


def test_a_site_is_written_over_only_where_that_is_asked_for_and_old_pages_go(tmp_path):
    write_site(tmp_path, PAGES)
    with pytest.raises(UsageError, match="holds a site: --replace writes over it"):
        refuse_others(tmp_path, replace=False)
    refuse_others(tmp_path, replace=True)
    write_site(tmp_path, [(INDEX, PAGE + "again"), PAGES[1]])
    assert names(tmp_path) == [INDEX, "runs/0a.html"]
    assert (tmp_path / INDEX).read_text().endswith("again")


@pytest.mark.parametrize(
    "name", ["notes.txt", "runs/notes.txt", "runs/mine.html", "mine/0a.html", "x.html", "a"]
)
def test_what_is_no_site_is_never_written_over(tmp_path, name):
    write_site(tmp_path, PAGES)
    path = tmp_path / name
    if name == "a":
        path.mkdir()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text(PAGE if name in ("mine/0a.html", "x.html") else "mine")
    with pytest.raises(UsageError, match="holds more than a site, such as"):
        refuse_others(tmp_path, replace=True)


def test_pages_without_a_first_one_are_no_site(tmp_path):
    write_site(tmp_path, PAGES)
    (tmp_path / INDEX).unlink()
    with pytest.raises(UsageError, match="such as runs"):
        refuse_others(tmp_path, replace=True)


def test_files_and_links_are_no_folder(tmp_path):
    write_site(tmp_path / "site", PAGES)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("site")
    (tmp_path / "nowhere").symlink_to("gone")
    for name in ("file", "link", "nowhere"):
        with pytest.raises(UsageError, match="is no folder"):
            refuse_others(tmp_path / name, replace=True)


def test_links_in_a_site_are_not_followed(tmp_path):
    write_site(tmp_path / "site", PAGES)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "0a.html").write_text(PAGE)
    for name in ("runs/0c.html", "more"):
        link = tmp_path / "site" / name
        link.symlink_to(tmp_path / "mine" / ("0a.html" if name.endswith("html") else ""))
        with pytest.raises(UsageError, match=f"such as {name}"):
            refuse_others(tmp_path / "site", replace=True)
        link.unlink()


def broken():
    yield INDEX, "other"
    raise MmulbenchError("a record is gone")


@pytest.mark.parametrize("name", ["new", "there"])
def test_what_cannot_be_finished_leaves_what_was_there(tmp_path, name):
    write_site(tmp_path / "there", PAGES)
    with pytest.raises(MmulbenchError):
        write_site(tmp_path / name, broken())
    assert [one.name for one in tmp_path.iterdir()] == ["there"]
    assert names(tmp_path / "there") == [address for address, _ in PAGES]
    assert (tmp_path / "there" / INDEX).read_text() == PAGE


def test_pages_that_cannot_be_put_in_place_leave_the_old_ones(tmp_path, monkeypatch):
    write_site(tmp_path, PAGES)
    rename = Path.rename

    def failing(self, target):
        if (
            self.name == INDEX
            and self.parent != tmp_path
            and target.parent == tmp_path
            and "new" in self.read_text()
        ):
            raise OSError(errno.EIO, "broken")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(MmulbenchError, match="cannot write"):
        write_site(tmp_path, [(INDEX, PAGE + "new"), ("runs/0d.html", PAGE)])
    assert names(tmp_path) == [address for address, _ in PAGES]
    assert (tmp_path / INDEX).read_text() == PAGE


def killed_while_writing(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmulbench.site.folder._remove", lambda *folders: None)
        with pytest.raises(MmulbenchError):
            write_site(folder, broken())
    for path in folder.glob(".tmp-*"):  # as if by a process that is gone: none has such an id
        host, _, start, random = path.name.rsplit("-", 3)
        path.rename(folder / f"{host}-{2**22 + 1}-{start}-{random}")


@pytest.mark.parametrize("was_there", [True, False])
def test_what_a_killed_process_left_is_taken_away_by_the_next(tmp_path, was_there):
    if was_there:
        write_site(tmp_path, PAGES)
    killed_while_writing(tmp_path)
    assert len([*tmp_path.glob(".tmp-*")]) == 2
    (tmp_path / INDEX).unlink(missing_ok=True)  # it may have been killed between two renames
    refuse_others(tmp_path, replace=True)
    write_site(tmp_path, PAGES)
    assert differing(tmp_path, PAGES) == [] and not [*tmp_path.glob(".tmp-*")]


def test_where_another_writes_is_left_alone(tmp_path):
    write_site(tmp_path, PAGES)
    host, pid, start = this_owner()
    other = tmp_path / f".tmp-{host}-{pid}-{start}-{'0' * 16}"
    other.mkdir()
    with pytest.raises(UsageError, match=r"holds more than a site, such as \.tmp-"):
        refuse_others(tmp_path, replace=True)
    other.rename(tmp_path / ".tmp-mine")
    with pytest.raises(UsageError, match=r"such as \.tmp-mine"):
        refuse_others(tmp_path, replace=True)


def test_what_differs_is_named(tmp_path):
    write_site(tmp_path, PAGES)
    assert differing(tmp_path, PAGES) == []
    (tmp_path / "runs" / "0a.html").write_text("other")
    (tmp_path / "runs" / "0b.html").unlink()
    (tmp_path / "more.txt").touch()
    assert differing(tmp_path, PAGES) == ["runs/0a.html", "runs/0b.html", "more.txt"]
    assert differing(tmp_path / "nowhere", PAGES[:1]) == [INDEX]
