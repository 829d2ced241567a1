"""Digests are those of the content, whatever a hint says of a file that may have changed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path, PurePath

import pytest

from mmulbench import file_digests
from mmulbench.errors import MmulbenchError
from mmulbench.file_digests import ContentChanged, Hints, Stamp, check_content, digests_of, hints_in
from mmulbench.files import sha256_of
from mmulbench.progress import Progress

LATER = 10**11
"""Nanoseconds after which every file of a test has settled."""


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def later(monkeypatch):
    """Let the clock be late enough for hints on files that were written now."""
    now = time.time_ns
    monkeypatch.setattr("mmulbench.file_digests.time.time_ns", lambda: now() + LATER)


@pytest.fixture
def hashed(monkeypatch) -> list[Path]:
    """The files that were hashed."""
    found: list[Path] = []
    monkeypatch.setattr(file_digests, "sha256_of", lambda path: found.append(path) or sha256_of(path))
    return found


def take(folder: Path, place: PurePath | None = None, first: Stamp | None = None) -> dict[str, str]:
    """Take the digests of all files of a folder, with hints beside it; the first may have another stamp."""
    files = {path.name: (path, Stamp.of(path.stat())) for path in sorted(folder.iterdir())}
    if first is not None:
        files["000"] = folder / "000", first
    with hints_in(folder.parent / "hints"):
        return digests_of(files, Hints(place or folder), Progress().track)


@pytest.fixture
def folder(tmp_path) -> Path:
    """More files than a thread hashes in one go."""
    (tmp_path / "data").mkdir()
    for number in range(2 * file_digests.CHUNK + 1):
        (tmp_path / "data" / f"{number:03}").write_bytes(b"%d" % number)
    return tmp_path / "data"


def test_digests_are_those_of_the_contents_in_order(folder, hashed):
    expected = {path.name: sha(path.read_bytes()) for path in sorted(folder.iterdir())}
    assert list(take(folder).items()) == list(expected.items())
    assert len(hashed) == len(expected)
    assert digests_of({}, Hints(folder), Progress().track) == {}


@pytest.mark.usefixtures("later")
def test_what_has_not_changed_is_not_hashed_again(folder, hashed):
    first = take(folder)
    hashed.clear()
    assert take(folder) == first and hashed == []
    (folder / "new").write_bytes(b"new")
    assert take(folder) == {**first, "new": sha(b"new")} and hashed == [folder / "new"]
    hashed.clear()
    assert take(folder)["new"] == sha(b"new") and hashed == []


@pytest.mark.usefixtures("later")
def test_another_content_of_the_same_size_and_time_is_noticed(folder):
    path = folder / "000"
    times = path.stat()
    take(folder)
    path.write_bytes(b"x")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert take(folder)["000"] == sha(b"x")


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("field", Stamp._fields)
def test_every_part_of_a_stamp_counts(field, folder, hashed):
    stamp = Stamp.of((folder / "000").stat())
    take(folder)
    hashed.clear()
    take(folder, first=stamp._replace(**{field: getattr(stamp, field) + 1}))
    assert hashed == [folder / "000"]


def test_a_file_changed_within_a_tick_of_the_clock_is_hashed_again(folder):
    """Its stamp can be that of the content before."""
    stamp = Stamp.of((folder / "000").stat())
    assert take(folder)["000"] == sha(b"0")
    (folder / "000").write_bytes(b"x")
    assert take(folder, first=stamp)["000"] == sha(b"x")


@pytest.mark.parametrize("field", ["modified", "changed"])
def test_both_times_have_to_be_past(field):
    stamp = Stamp(1, 10**9, 10**9, 1)
    assert stamp.is_settled(4 * 10**9)
    assert not stamp.is_settled(3 * 10**9)
    assert not stamp._replace(**{field: 5 * 10**9}).is_settled(6 * 10**9)


def spoil(file: Path) -> None:
    """Change a digit of a digest."""
    content = bytearray(file.read_bytes())
    place = content.rindex(b'["') + 2
    content[place] = ord("1" if content[place] == ord("0") else "0")
    file.write_bytes(content)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "harm",
    [
        Path.unlink,
        spoil,
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
    ],
)
def test_hints_that_are_lost_or_damaged_cost_time_alone(harm, folder, hashed):
    first = take(folder)
    (file,) = (folder.parent / "hints").iterdir()
    harm(file)
    hashed.clear()
    assert take(folder) == first and len(hashed) == len(first)
    hashed.clear()
    assert take(folder) == first and hashed == []


@pytest.mark.usefixtures("later")
def test_hints_of_another_version_are_not_read(folder, hashed, monkeypatch):
    take(folder)
    hashed.clear()
    monkeypatch.setattr(file_digests, "FORMAT", 0)
    take(folder)
    assert hashed


@pytest.mark.usefixtures("later")
def test_a_folder_that_takes_no_hints_stops_nothing(folder):
    (folder.parent / "hints").write_text("a file")
    assert take(folder)["000"] == sha(b"0")


@pytest.mark.usefixtures("later")
def test_hints_are_kept_only_where_a_folder_is_named(folder, hashed):
    stamped = {"x": (folder / "000", Stamp.of((folder / "000").stat()))}
    for _ in range(2):
        assert digests_of(stamped, Hints(folder), Progress().track) == {"x": sha(b"0")}
    assert len(hashed) == 2 and [path.name for path in folder.parent.iterdir()] == ["data"]


@pytest.mark.usefixtures("later")
def test_places_have_hints_of_their_own(folder, hashed, monkeypatch):
    monkeypatch.chdir(folder.parent)
    take(folder)
    hashed.clear()
    take(folder, Path("data"))
    assert hashed == []
    take(folder, PurePath("data"))
    assert hashed
    assert len(list((folder.parent / "hints").iterdir())) == 2


@pytest.mark.usefixtures("later")
def test_forgotten_hints_are_not_believed(folder, hashed):
    take(folder)
    hashed.clear()
    with hints_in(folder.parent / "hints"):
        hints = Hints(folder)
    hints.forget()
    hints.forget()
    Hints(folder).forget()
    take(folder)
    assert hashed


@pytest.mark.usefixtures("later")
def test_digests_of_several_files_are_known_while_none_has_changed(folder):
    stamps = [Stamp.of((folder / name).stat()) for name in ("000", "001")]
    with hints_in(folder.parent / "hints"):
        hints = Hints(folder)
        hints.note("both", stamps, ["a", "", "b"], time.time_ns())
        hints.note("nothing to go by", [], ["a"], time.time_ns())
        hints.save()
        again = Hints(folder)
    assert again.find("both", stamps) == ["a", "", "b"]
    assert again.find("both", stamps[:1]) is None and again.find("both", stamps[::-1]) is None
    assert again.find("nothing to go by", []) is None


def test_a_file_that_cannot_be_read_is_named(folder):
    gone = {"x": (folder / "gone", Stamp.of((folder / "000").stat()))}
    with pytest.raises(MmulbenchError) as caught:
        digests_of(gone, Hints(folder), Progress().track)
    assert str(caught.value) == f"cannot read {folder / 'gone'}: No such file or directory"


def test_content_that_has_changed_is_refused():
    check_content(b"x", sha(b"x"), "here")
    with pytest.raises(ContentChanged, match=r"^here: it has changed since the data was opened: give"):
        check_content(b"y", sha(b"x"), "here")
