from __future__ import annotations

import hashlib
import os
import resource
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from forks import FORKS

from mmulbench.errors import MmulbenchError
from mmulbench.files import (
    clock_of,
    is_written_through,
    prepare_folder,
    read_regular,
    sha256_of,
    write_atomically,
)


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


@pytest.mark.parametrize("target", ["kept/target.md", "kept/absent.md"])
def test_a_link_stays_and_the_file_that_it_names_is_written(tmp_path, target):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "target.md").write_text("old")
    (tmp_path / "first").symlink_to(target)
    (tmp_path / "second").symlink_to("first")
    write_atomically(tmp_path / "second", "new")
    assert (tmp_path / "first").is_symlink() and (tmp_path / "second").is_symlink()
    assert (tmp_path / target).read_text() == "new"
    assert names(tmp_path) == ["first", "kept", "second"]
    assert names(tmp_path / "kept") == sorted({"target.md", Path(target).name})


def test_a_circle_of_links_is_one_line_and_stays(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(MmulbenchError, match=r"^cannot write .*/a: Too many levels of symbolic links; "):
        write_atomically(tmp_path / "a", "x")
    assert (tmp_path / "a").readlink() == Path("b")


def test_a_pipe_with_a_name_is_written_through(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with ThreadPoolExecutor(1) as reader:
            content = reader.submit(path.read_text)
            write_atomically(tmp_path / name, "é\n")
            assert content.result(10) == "é\n"
        assert is_written_through(tmp_path / name) and path.is_fifo()
    assert names(tmp_path) == ["link", "pipe"]


def test_a_device_is_written_through():
    main, other = os.openpty()
    path = Path(os.ttyname(other))
    write_atomically(path, "to the terminal")
    assert os.read(main, 100) == b"to the terminal"
    assert path.is_char_device()
    for one in (main, other):
        os.close(one)


def test_what_a_process_has_open_is_added_to_whatever_it_is(tmp_path):
    """As ``-o /dev/stdout >> file`` and ``-o >(command)`` of a shell."""
    log = tmp_path / "log"
    log.write_text("before\n")
    with log.open("a") as opened:
        path = Path(f"/dev/fd/{opened.fileno()}")
        assert is_written_through(path)
        write_atomically(path, "after\n")
    assert log.read_text() == "before\nafter\n"
    assert names(tmp_path) == ["log"]

    reading, writing = os.pipe()
    write_atomically(Path(f"/proc/self/fd/{writing}"), "x")
    assert os.read(reading, 10) == b"x"
    for one in (reading, writing):
        os.close(one)


def test_a_socket_is_one_line_and_stays(tmp_path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(MmulbenchError, match=r"^cannot write .*/socket: "):
            write_atomically(tmp_path / "socket", "x")
    assert (tmp_path / "socket").is_socket()


def test_files_of_a_memory_disk_are_replaced():
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("there is no /dev/shm")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name, "file")
        write_atomically(path, "old")
        write_atomically(path, "new")
        assert path.read_text() == "new"


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
    child = FORKS.Process(target=write_with_limit, args=(path, message))
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


def test_only_regular_files_of_bearable_size_are_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_regular(path) == read_regular(path, 5) == b"12345"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="MiB are too much: at most 0"):
        read_regular(path, 4)
    with pytest.raises(OSError, match="not a regular file"):
        read_regular(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        read_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none")


def test_the_time_is_that_of_the_disk(tmp_path, monkeypatch):
    true = time.time()
    monkeypatch.setattr(time, "time", lambda: true + 3600)  # this machine's clock is an hour ahead
    assert abs(clock_of(tmp_path) - true) < 60
    assert clock_of(tmp_path / "none") == true + 3600
    assert list(tmp_path.iterdir()) == []
