"""Say how a run can be made again: the command, versions, the machine, and digests."""

from __future__ import annotations

from collections.abc import Sequence

from mmulbench.audit.wording import Fact, counted
from mmulbench.core.reproduce import command_of
from mmulbench.records.schema import RunResult
from mmulbench.report.makings import made_otherwise


def made(result: RunResult, digest: str) -> list[Fact]:
    """Return what there is to know for making a run again.

    The command follows from the specification; the one in the record's file is never shown.

    Args:
        result: the record.
        digest: SHA-256 of its file.
    """
    env = result.environment
    each = f" in each of {env.processes} processes" if env.processes > 1 else ""
    return [
        Fact("Command", command_of(result), is_code=True),
        Fact("Record", result.run_id, is_code=True),
        Fact("SHA-256 of the record's file", digest, is_code=True),
        Fact("mmulbench", f"{env.mmulbench}, commit {env.git_commit or 'unknown'}"),
        Fact(
            "Versions",
            f"metrics {result.spec.metric_version}, recipes {result.spec.recipe_version}, "
            f"records {result.schema_version}",
        ),
        Fact("Machine", f"{env.device}, {counted(env.threads, 'thread')}{each}, {env.cpu or 'CPU unknown'}"),
        Fact("Original and retrain", _models(result)),
        Fact("Python", f"{env.python} on {env.platform}"),
        Fact("Packages", ", ".join(f"{name} {version}" for name, version in sorted(env.packages.items()))),
        *_plugins(result),
    ]


def _models(result: RunResult) -> str:
    """Say where the models were trained that the run is compared with."""
    if lines := made_otherwise(result):
        return "; ".join(lines)
    return "trained on the same kind of machine" if result.models else "not known where they were trained"


def _plugins(result: RunResult) -> Sequence[Fact]:
    files = ", ".join(f"{name} {digest}" for name, digest in sorted(result.spec.plugins.items()))
    return [Fact("Plug-in files", files, is_code=True)] if files else []
