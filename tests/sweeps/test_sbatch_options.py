"""Options of sbatch by name, with and without a Slurm that knows more."""

from __future__ import annotations

import pytest
from slurm_answers import SlurmAnswers

from mmulbench.sweeps.sbatch_options import OPTIONS, unknown_option

# Lines of `sbatch --help` on Slurm 22.05.8, and one as a plug-in adds it.
HELP = """
Usage: sbatch [OPTIONS(0)...] [ : [OPTIONS(N)...]] script(0) [args(0)...]

Parallel run options:
  -a, --array=indexes         job array index values
  -A, --account=name          charge job to specified account

Options provided by plugins:
      --container-image=[USER@][REGISTRY#]IMAGE[:TAG]|PATH
"""


@pytest.fixture
def no_slurm(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("partition", None),
        ("gres", None),
        ("partiton", "sbatch has no option partiton; did you mean partition"),
        ("paralel", "sbatch has no option paralel; did you mean parallel"),
        ("acount", "sbatch has no option acount; did you mean account"),
        ("xyzzy", "sbatch has no option xyzzy"),
        ("container-image", "sbatch has no option container-image"),
        ("arra", "sbatch has no option arra"),
    ],
)
def test_slips_are_named_where_there_is_no_slurm(name, fault, no_slurm):
    found = unknown_option(name, ["parallel"])
    assert found is None if fault is None else found is not None and found.startswith(fault)


def test_a_clusters_own_options_are_known_there(tmp_path, monkeypatch):
    slurm = SlurmAnswers(tmp_path / "bin")
    slurm.say("sbatch", HELP)
    monkeypatch.setenv("PATH", slurm.path)
    assert unknown_option("container-image", []) is None
    slip = unknown_option("partiton", [])
    assert slip is not None and slip.startswith("sbatch has no option partiton; did you mean partition")
    assert slurm.calls("sbatch") == ["--help", "--help"]
    slurm.say("sbatch", "", err="sbatch: fatal: Could not establish a configuration source", code=1)
    assert unknown_option("container-image", []) is not None


def test_names_are_as_sbatch_writes_them():
    assert all(name == name.lower() and "_" not in name for name in OPTIONS)
