"""A real Slurm on this machine, in one folder: one node, controller, accounting and database."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = (
    "munged",
    "mariadbd",
    "mariadb-install-db",
    "slurmdbd",
    "slurmctld",
    "slurmd",
    "srun",
    "sacctmgr",
    "setpriv",
)
PACKAGES = "slurm-wlm munge slurmdbd mariadb-server"
PATIENCE = 300
"""Seconds for anything; a busy machine is slow."""

SLURM_CONF = """\
ClusterName=ci
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# Slurm waits for credentials to expire before it starts a job again: 5 seconds instead of two minutes.
AuthInfo=socket={root}/munge/sock,cred_expire=5
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={accounting}
AccountingStoragePass={root}/munge/sock
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
SchedulerParameters=sched_min_interval=0,sched_interval=1,bf_interval=1
ReturnToService=2
KillWait=5
MinJobAge=300
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""

SLURMDBD_CONF = """\
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={accounting}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge/sock
PidFile={root}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct
"""


class CannotStart(Exception):
    """Slurm does not start here."""


class Cluster:
    """One node, its controller, its accounting and their database, each a child of this process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        self.environment = {**os.environ, "SLURM_CONF": str(root / "slurm.conf"), "PATH": path}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start everything and wait until the node is idle."""
        self._write()
        munge = self.root / "munge"
        files = [f"--{name}-file={self.root}/munge.{name}" for name in ("key", "seed", "pid", "log")]
        self._start("munged", "--foreground", f"--socket={munge}/sock", *files)
        database = ["--no-defaults", "--user=root", f"--datadir={self.root}/db"]
        subprocess.run(
            ["mariadb-install-db", *database, "--skip-test-db", "--auth-root-authentication-method=socket"],
            env=self.environment,
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        socket_file = f"--socket={self.root}/run/mysql.sock"
        small = ["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--skip-networking"]
        pid_file = f"--pid-file={self.root}/run/mariadbd.pid"
        self._start("mariadbd", *database, socket_file, pid_file, "--innodb-lock-wait-timeout=900", *small)
        self._until("mariadb-admin", "--no-defaults", socket_file, "ping")
        self._start("slurmdbd", "-D", MYSQL_UNIX_PORT=f"{self.root}/run/mysql.sock")
        self._until("sacctmgr", "-n", "-i", "list", "cluster")
        self.say("sacctmgr", "-i", "add", "cluster", "ci")
        self.start_controller()
        self._start("slurmd", "-D", "-N", socket.gethostname())
        self._until("sh", "-c", "sinfo -h -o %t | grep -qx idle")

    def start_controller(self) -> None:
        self._start("slurmctld", "-D", "-i")
        self._until("scontrol", "ping")

    def stop_controller(self) -> None:
        self._stop("slurmctld")

    def stop(self) -> None:
        """End all jobs and daemons, whatever happened before."""
        if "slurmd" in self._daemons:
            with contextlib.suppress(subprocess.SubprocessError, AssertionError):
                self.say("scancel", "--user=root")
                until(lambda: not self.say("squeue", "-h"), "jobs that do not end")
        for name in ("slurmd", "slurmctld", "slurmdbd", "mariadbd", "munged"):
            self._stop(name)

    def say(self, *words: str) -> str:
        """Run a command and return what it prints."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        return done.stdout.strip()

    def _write(self) -> None:
        for name in ("munge", "state", "spool", "run", "log"):
            (self.root / name).mkdir()
        for folder in (self.root, self.root / "munge"):
            folder.chmod(0o755)
        key = self.root / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        values = {
            "root": self.root,
            "host": socket.gethostname(),
            "memory": memory * 9 // 10,
            **dict(zip(("controller", "node", "accounting"), free_ports(3), strict=True)),
        }
        (self.root / "slurm.conf").write_text(SLURM_CONF.format(**values))
        secret = self.root / "slurmdbd.conf"
        secret.touch(mode=0o600)
        secret.write_text(SLURMDBD_CONF.format(**values))

    def _start(self, name: str, *words: str, **environment: str) -> None:
        # setpriv: a daemon ends also when these tests are killed and can stop nothing any more.
        with (self.root / "log" / f"{name}.log").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", name, *words],
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _stop(self, name: str) -> None:
        daemon = self._daemons.pop(name, None)
        if daemon is None:
            return
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(60)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def _until(self, *words: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(words, env=self.environment, capture_output=True, check=False).returncode:
            for name, daemon in self._daemons.items():
                if daemon.poll() is not None:
                    log = (self.root / "log" / f"{name}.log").read_text(errors="replace").splitlines()
                    raise CannotStart(f"{name} ended: {log[-1] if log else daemon.returncode}")
            if time.monotonic() > deadline:
                raise CannotStart(f"{' '.join(words)} does not succeed")
            time.sleep(0.2)


def until(reached: Callable[[], object], what: str, every: float = 0.2) -> None:
    """Wait until something is so, which is looked at every so many seconds."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(every)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def unable() -> str | None:
    """Why Slurm cannot be started here."""
    missing = [
        name for name in PROGRAMS if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") is None
    ]
    if missing:
        return f"Slurm is not installed, {missing[0]} is missing: as root, apt-get install {PACKAGES}"
    if os.geteuid() != 0:
        return "only root can start a Slurm of its own"
    try:
        socket.getaddrinfo(socket.gethostname(), None)
    except OSError:
        return f"this machine's name {socket.gethostname()} has no address: add it to /etc/hosts"
    return None
