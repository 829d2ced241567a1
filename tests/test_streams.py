"""What cannot be printed is lost, and whoever prints goes on."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

from mmulbench.streams import patient, patient_streams

PRINTING = """
import sys
from mmulbench.streams import patient_streams
with patient_streams() as files:
    for number in range(3):
        print(number, flush=True)
        if number == 0:
            sys.stdin.readline()  # until nobody reads any more
    print([one.failure.errno if one.failure else None for one in files], file=sys.stderr)
print("afterwards", file=sys.stderr)
"""


def test_a_closed_pipe_takes_what_is_printed_and_nothing_is_said():
    with subprocess.Popen(
        [sys.executable, "-c", PRINTING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, f"[{errno.EPIPE}, None]\nafterwards\n")


def test_a_full_disk_is_remembered():
    descriptor = os.open("/dev/full", os.O_WRONLY)
    stream = patient(descriptor, "utf-8", "strict", closefd=True)
    for _ in range(2):
        print("x" * 100_000, file=stream, flush=True)
    raw = stream.buffer.raw  # type: ignore[attr-defined]
    assert raw.failure.errno == errno.ENOSPC
    stream.close()


def test_streams_are_as_before_afterwards(capfd):
    before = sys.stdout
    with patient_streams():
        print("inside")
    assert sys.stdout is before
    print("outside", flush=True)
    assert capfd.readouterr().out == "inside\noutside\n"


CLOSED = """
import os, sys
from mmulbench.streams import patient_streams
with patient_streams():
    with open("file", "w") as file:
        print("lost")
        os.write(1, b"lost as well")
        file.write(f"{file.fileno() > 2}")
"""


def test_what_was_closed_is_nowhere_and_not_the_next_file(tmp_path):
    for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
        command = f'{sys.executable} -c "$CODE" {closed}'
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env={**os.environ, "CODE": CLOSED}, check=False
        )
        assert done.returncode == 0
        assert (tmp_path / "file").read_text() == "True"
