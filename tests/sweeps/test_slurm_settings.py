"""What can be asked of Slurm, and how it is read; needs no Slurm."""

from __future__ import annotations

import pytest

from mmulbench.errors import UsageError
from mmulbench.sweeps.slurm_settings import checked_settings, minutes, parsed_settings, read_executor


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90", 90),
        ("1:30", 2),
        ("0:0:1", 1),
        ("2:00:00", 120),
        ("1-0", 1440),
        ("1-12:30", 2190),
        ("1-0:0:1", 1441),
    ],
)
def test_times_are_read_as_slurm_reads_them(text, wanted):
    assert minutes(text) == wanted


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "-5", "0", "00:00:00", "1h"])
def test_other_times_are_refused(text):
    with pytest.raises(UsageError, match="--slurm time="):
        minutes(text)


def test_settings_get_the_names_that_sbatch_knows():
    given = parsed_settings(["gpus=2", "mem_gb=1.5", "timeout_min=30", "parallel=8", "constraint=a100|h100"])
    assert checked_settings(given) == {
        "gpus-per-node": "2",
        "mem": "1536M",
        "time": "30",
        "parallel": "8",
        "constraint": "a100|h100",
    }


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("partition", "is not key=value"),
        ("=gpu", "is not key=value"),
        ("partition=", "is empty"),
        ("comment=a\n#SBATCH --uid=0", "several lines"),
        ("x\ny=1", "a sweep sets"),
        ("-p=gpu", "a sweep sets"),
        ("array=0-9", "a sweep sets array itself"),
        ("dependency=afterok:1", "a sweep sets dependency itself"),
        ("open_mode=truncate", "a sweep sets open-mode itself"),
        ("parallel=0", "number of tasks"),
        ("parallel=²", "number of tasks"),
        ("mem_gb=much", "no number"),
        ("mem_gb=nan", "no number"),
        ("mem_gb=-1", "no number"),
        ("partiton=gpu", "sbatch has no option partiton; did you mean partition"),
        ("arra=0-9", "sbatch has no option arra"),
        ("parsable=true", "a sweep sets parsable itself, or cannot work with it"),
        ("clusters=b", "a sweep sets clusters itself, or cannot work with it"),
        ("setup=", "setup must be shell lines"),
        ("setup=export A='1", "setup: bash cannot read these lines: .*unexpected EOF"),
    ],
)
def test_wrong_settings_are_named(item, message):
    with pytest.raises(UsageError, match=message):
        checked_settings(parsed_settings([item]))


def test_a_table_is_read_as_it_is_written(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text("task: emoji\nexecutor: {name: slurm, time: 2:00:00, account: 007, mem: 1e3}\n")
    assert read_executor(file) == {"name": "slurm", "time": "2:00:00", "account": "007", "mem": "1e3"}
    file.write_text("task: emoji\n")
    assert read_executor(file) == {}
    for wrong in ("slurm", "[slurm]", "{slurm: {partition: gpu}}", "{time: }", "{~: gpu}"):
        file.write_text(f"executor: {wrong}\n")
        with pytest.raises(UsageError, match="executor must be a table"):
            read_executor(file)


def test_setup_is_shell_lines(tmp_path):
    file = tmp_path / "sweep.yaml"
    lines = "module load cuda\nconda activate mine"
    for written in (
        "[module load cuda, conda activate mine]",
        "|\n    module load cuda\n    conda activate mine",
    ):
        file.write_text(f"task: emoji\nexecutor:\n  name: slurm\n  setup: {written}\n")
        found = read_executor(file)
        assert checked_settings({"setup": found["setup"].strip()}) == {"setup": lines}
    assert parsed_settings(["setup=module load cuda", "mem=1G", "setup=conda activate mine"]) == {
        "setup": lines,
        "mem": "1G",
    }
    for wrong in ("{load: cuda}", "[[module load cuda]]", "[]", "[1, {a: b}]", "~"):
        file.write_text(f"task: emoji\nexecutor: {{name: slurm, setup: {wrong}}}\n")
        with pytest.raises(
            UsageError, match="executor: setup must be shell lines: a text, or a list of texts"
        ):
            read_executor(file)


@pytest.mark.parametrize(
    ("first", "second"),
    [("mem=1G", "mem=2G"), ("mem_gb=1", "mem=2G"), ("cpus-per-task=2", "cpus_per_task=2")],
)
def test_an_option_that_is_set_twice_is_refused(first, second, tmp_path):
    again = f"{second.partition('=')[0]} sets again what {first.partition('=')[0]} has set: keep one"
    with pytest.raises(UsageError, match=f"--slurm: {again}"):
        parsed_settings([first, second])
    lines = [item.replace("=", ": ") for item in (first, second)]
    (tmp_path / "sweep.yaml").write_text(f"executor: {{name: slurm, {', '.join(lines)}}}\n")
    with pytest.raises(UsageError, match=f"executor: {again}|is there twice"):
        read_executor(tmp_path / "sweep.yaml")


def test_an_option_that_is_said_twice_alike_is_said_once():
    assert parsed_settings(["mem=1G", "mem=1G"]) == {"mem": "1G"}
