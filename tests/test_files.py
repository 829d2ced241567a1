from __future__ import annotations

import hashlib
import multiprocessing
import resource
from pathlib import Path

import pytest

from mmulbench.errors import MmulbenchError
from mmulbench.files import prepare_folder, sha256_of, write_atomically


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_text_and_bytes_and_replaces(tmp_path):
    path = tmp_path / "new" / "folder" / "a.json"
    write_atomically(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    write_atomically(path, b"\x00\x01")
    assert path.read_bytes() == b"\x00\x01"
    assert names(path.parent) == ["a.json"]


def test_new_files_follow_the_umask(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    write_atomically(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == plain.stat().st_mode


def test_failed_replace_leaves_no_temporary_file(tmp_path):
    (tmp_path / "target").mkdir()
    with pytest.raises(
        MmulbenchError, match=r"cannot write .*target: Is a directory; choose another folder$"
    ):
        write_atomically(tmp_path / "target", "x")
    assert names(tmp_path) == ["target"]


def write_with_limit(path: Path, message: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        write_atomically(path, b"x" * 5000, "--results-dir")
    except MmulbenchError as error:
        message.write_text(str(error))


def test_full_disk_keeps_the_old_file(tmp_path):
    path = tmp_path / "folder" / "a.json"
    write_atomically(path, "old")
    message = tmp_path / "message"
    child = multiprocessing.get_context("forkserver").Process(target=write_with_limit, args=(path, message))
    child.start()
    child.join()
    assert message.read_text() == (
        f"cannot write {path}: File too large; free space or choose another folder with --results-dir"
    )
    assert path.read_text() == "old"
    assert names(path.parent) == ["a.json"]


def test_prepare_folder_makes_it_and_leaves_it_empty(tmp_path):
    prepare_folder(tmp_path / "a" / "b", "cache", "--cache-dir")
    assert names(tmp_path / "a" / "b") == []


@pytest.mark.parametrize("folder", ["file", "file/below", "/proc/mmulbench"])
def test_prepare_folder_refuses_what_cannot_be_written(tmp_path, folder):
    (tmp_path / "file").write_text("kept")
    path = tmp_path / folder
    with pytest.raises(MmulbenchError) as error:
        prepare_folder(path, "cache", "--cache-dir")
    message = str(error.value)
    assert message.startswith(f"cannot use the cache folder {path}: ")
    assert message.endswith("; choose another folder with --cache-dir")
    assert "\n" not in message
    assert (tmp_path / "file").read_text() == "kept"


def test_sha256_of_more_than_one_chunk(tmp_path):
    content = bytes(range(256)) * 10_000
    (tmp_path / "big").write_bytes(content)
    assert sha256_of(tmp_path / "big") == hashlib.sha256(content).hexdigest()
