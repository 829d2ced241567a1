from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from mmulbench.owners import Owner, this_host, this_owner


def sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def owner_of(pid: int) -> Owner:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Owner(this_host(), pid, int(fields[19]))


def test_this_process_is_there():
    me = this_owner()
    assert me == owner_of(os.getpid())
    assert not me.is_gone()
    assert not me._replace(start=0).is_gone()  # a system that does not say when processes start


def test_a_killed_process_is_gone_whether_or_not_its_parent_has_noticed():
    child = sleeping()
    owner = owner_of(child.pid)
    assert not owner.is_gone()
    child.send_signal(signal.SIGKILL)
    while not owner.is_gone():
        time.sleep(0.01)
    assert child.poll() == -signal.SIGKILL or child.wait()
    assert owner.is_gone()


def test_another_process_with_the_same_id_is_not_the_owner():
    assert this_owner()._replace(start=1).is_gone()


def test_of_another_host_nothing_is_certain():
    assert not Owner("elsewhere", 2**22 + 1, 1).is_gone()


def test_a_name_of_a_host_names_a_file(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "a/b c.d-e")
    assert this_host().startswith("a_b_c.d-e")
