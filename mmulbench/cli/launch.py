"""Starting the processes of one run, through accelerate's launcher, and telling how they ended."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.packages import package_folder

MARK = "MMULBENCH_PROCESSES"
"""Environment variable that marks a process as one of those started here; holds their number."""


def is_started() -> bool:
    """Say whether this process is one of those that make a run together."""
    return MARK in os.environ


@contextlib.contextmanager
def taking_part(device: str) -> Iterator[None]:
    """Make a run as one of the processes that were started; where none were, nothing changes.

    Args:
        device: device of the command.
    """
    if not is_started():
        yield
        return
    import torch

    from mmulbench import processes

    processes.join(cpu=device == "cpu" or not torch.cuda.is_available())
    yield
    processes.leave()


def start(processes: int, device: str, words: Sequence[str]) -> int:
    """Run a command in several processes at once, and wait for their end.

    Args:
        processes: number of processes.
        device: device of the command.
        words: arguments of the command, which each process is given.

    Returns:
        The exit code of the command.

    Raises:
        UsageError: Accelerate or GPUs are missing.
        MmulbenchError: A process was ended from outside.
    """
    package_folder("accelerate", "--processes", extra="parallel")
    import torch

    check_devices(processes, device, torch.cuda.device_count())
    from accelerate.commands.launch import launch_command_parser, multi_gpu_launcher
    from accelerate.utils import patch_environment
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.disable(logging.CRITICAL)  # the launcher's; what there is to say is said here, in one line
    with tempfile.TemporaryDirectory(prefix="mmulbench-") as folder:
        # All that a user's own configuration of accelerate could change is given; its file is not read.
        options = ["--multi_gpu", "--num_processes", str(processes), "--num_machines", "1"]
        options += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
        options += ["--num_cpu_threads_per_process", str(_threads(torch.get_num_threads(), processes))]
        options += ["--log_dir", folder, "--module", "mmulbench.cli.process"]
        try:
            with patch_environment(**_environment(processes)):
                multi_gpu_launcher(launch_command_parser().parse_args([*options, *words]))
        except SignalException as error:
            return 128 + int(error.sigval)
        except ChildFailedError as error:
            return _outcome(error.failures)
        finally:
            logging.disable(logging.NOTSET)
    return 0


def check_devices(processes: int, device: str, gpus: int) -> None:
    """See that each process has a device of its own.

    Args:
        processes: number of processes.
        device: device of the command.
        gpus: number of GPUs of this machine.

    Raises:
        UsageError: There are too few, or one alone is named.
    """
    if device.startswith("cuda:"):
        raise UsageError(
            f"--device {device} names one GPU, but --processes {processes} takes as many: choose auto or cpu"
        )
    if (device == "cuda" or (device == "auto" and gpus)) and processes > gpus:
        raise UsageError(
            f"--processes {processes} takes as many GPUs, but there are {gpus}: ask for fewer processes, "
            "or choose --device cpu"
        )


def _threads(here: int, processes: int) -> int:
    """Return the threads of each process: what the environment says, or its part of those here."""
    return here if "OMP_NUM_THREADS" in os.environ else max(1, here // processes)


def _environment(processes: int) -> dict[str, str]:
    """Return environment variables for the child processes.

    They mark a process as part of this run, fix Python's hash seed, and bind communication to the loopback
    interface.
    """
    given = {MARK: str(processes)}
    defaults = {"PYTHONHASHSEED": "0"}
    interfaces = {name for _, name in socket.if_nameindex()}
    if loopback := interfaces.intersection(("lo", "lo0")):  # Linux and macOS
        defaults["GLOO_SOCKET_IFNAME"] = loopback.pop()  # they are all on this machine
    return {**given, **{name: value for name, value in defaults.items() if name not in os.environ}}


def _outcome(failures: Mapping[int, Any]) -> int:
    """Return the exit code where processes failed; the one that did so by itself has said why.

    Raises:
        MmulbenchError: A process was ended from outside, so that none could say why.
    """
    from mmulbench.processes import Lost

    follow = (Lost.exit_code, -signal.SIGTERM)  # what the others do once one is gone
    causes = {rank: one.exitcode for rank, one in failures.items() if one.exitcode not in follow}
    for rank, code in causes.items():
        if code > 0:
            return int(code)
        name = signal.Signals(-code).name
        raise MmulbenchError(f"process {rank + 1} of the run was ended by {name}; run the same command again")
    raise MmulbenchError("a process of the run was ended; run the same command again")
