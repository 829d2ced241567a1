"""What each command prints, writes and returns when all is well, and when a run is not."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest
from helpers import ONE_EPOCH, TINY, here, numbers

from mmulbench import __version__, load_units
from mmulbench.records.schema import RunResult
from mmulbench.records.unit_files import unit_file

LONG = ["run", "-m", "mmul", *TINY, "-b", "albef:tiny"]
MMUL = [*LONG, *ONE_EPOCH]
ORIGINAL = ["run", "-m", "original", *TINY, "-b", "albef:tiny", "--no-reference"]


@pytest.fixture
def warm(ready, bench):
    """A bench with the filled cache and no records."""
    bench.cache = ready.cache
    return bench


@pytest.mark.slow
def test_the_end_of_a_run_is_a_table_a_verdict_and_the_record(ready):
    done = ready.run(*MMUL)
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[1].strip() == "mmul on emoji, albef:tiny, forget size 2, seed 42"
    shown = [line.split("  ")[0].strip() for line in lines]
    assert shown.index("Test utility") < shown.index("Gap to retrain") < shown.index("Time")
    assert lines[-1] == f"Record: {ready.record()}"
    assert re.search(r"^mmul (forgot|did not forget|over-forgot|cannot be judged)", done.out, re.MULTILINE)
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.slow
def test_running_again_finds_the_record_and_says_so(ready):
    before = ready.record().stat().st_mtime_ns
    for options in ([], ["--quiet"], ["--json"]):
        done = ready.run(*MMUL, *options)
        assert done.code == 0
        found = f"found the record of this run (--overwrite always makes it again): {ready.record()}\n"
        assert done.err == (found if options else f"1/5 data\n{found}")
    assert ready.record().stat().st_mtime_ns == before


@pytest.mark.slow
def test_scores_by_unit_are_kept_unless_they_are_not_wanted(warm):
    assert warm.run(*MMUL, "--quiet").code == 0
    kept = load_units(warm.results)
    assert set(kept.method) == {"mmul"} and not kept.retrain_loss.isna().any()
    assert unit_file(warm.record()).stat().st_size < 10_000
    assert warm.run(*MMUL, "--quiet", "--no-units", "--overwrite", "always").code == 0
    assert json.loads(warm.record().read_text())["units"] is None
    assert not unit_file(warm.record()).exists()


@pytest.mark.slow
def test_json_is_the_record_alone_and_quiet_is_its_path_alone(ready):
    assert json.loads(ready.run(*MMUL, "--json").out) == [json.loads(ready.record().read_text())]
    assert ready.run(*MMUL, "--quiet").out == f"{ready.record()}\n"


@pytest.mark.slow
def test_overwrite_always_makes_a_finished_run_again_with_the_same_numbers(warm):
    first = warm.run(*MMUL, "--json").records[0]
    again = warm.run(*MMUL, "--json", "--overwrite", "always").records[0]
    assert again.started > first.finished
    assert numbers(again) == numbers(first)
    assert RunResult.model_validate_json(warm.record().read_text()) == again
    for choice in ("never", "failed"):
        assert warm.run(*MMUL, "--json", "--overwrite", choice).records == [again]


@pytest.mark.slow
def test_a_diverged_run_is_recorded_with_its_reason_and_exit_code_1(warm):
    wild = [*LONG, "--set", "lr=1e9"]
    done = warm.run(*wild, "--json")
    assert done.code == 1
    (record,) = done.records
    assert record.status == "diverged"
    assert record.reason.startswith("unlearn: the loss became ")
    assert record.values == {}
    assert RunResult.model_validate_json(warm.record().read_text()) == record

    kept = warm.run(*wild, "--json", "--overwrite", "never")
    assert (kept.code, kept.records) == (1, [record])
    made_again = warm.run(*wild)  # --overwrite failed
    assert made_again.code == 1
    assert "found the record" not in made_again.err
    assert made_again.out.split() == [
        *f"mmul diverged: {record.reason}.".split(),
        *f"Record: {warm.record()}".split(),
    ]
    assert RunResult.model_validate_json(warm.record().read_text()).started > record.finished


@pytest.mark.slow
def test_a_model_whose_last_step_broke_it_is_recorded_as_diverged_in_evaluation(warm):
    done = warm.run(*MMUL, "--set", "lr=1e9", "--json")
    assert done.code == 1
    (record,) = done.records
    assert record.status == "diverged"
    assert record.reason.startswith("evaluate: ")


@pytest.mark.slow
def test_without_reference_says_what_is_missing_and_a_later_run_completes_it(bench):
    done = bench.run(*ORIGINAL)
    assert done.code == 0
    assert "Missing: retrain's values, agreement, retrain_gap and cost ratios" in " ".join(done.out.split())
    partial = RunResult.model_validate_json(bench.record().read_text())
    assert {value.retrain for value in partial.values.values()} == {None}
    assert partial.values["retrain_gap"].value is None
    assert partial.cost.seconds_ratio is None
    assert partial.command.endswith(" --no-reference")
    assert bench.built("retrain") == {}
    assert "found the record" in bench.run(*ORIGINAL).err

    with_reference = [word for word in ORIGINAL if word != "--no-reference"]
    done = bench.run(*with_reference, "--json")
    assert "found the record" not in done.err
    (complete,) = done.records
    assert complete == RunResult.model_validate_json(bench.record().read_text())
    assert complete.missing == []
    assert None not in {value.retrain for value in complete.values.values()}
    assert complete.values["retrain_gap"].value is not None
    assert "--no-reference" not in complete.command
    assert "found the record" in bench.run(*ORIGINAL).err


@pytest.mark.slow
def test_the_recorded_command_makes_the_same_run(ready, warm):
    record = RunResult.model_validate_json(ready.record().read_text())
    words = record.command.split()
    assert words[0] == "mmulbench"
    done = warm.run(*words[1:], "--json")
    assert done.records[0].spec == record.spec
    assert numbers(done.records[0]) == numbers(record)


@pytest.mark.slow
def test_every_method_and_seed_of_one_command_has_its_record(warm):
    done = warm.run(*ORIGINAL, "-m", "finetune", "-m", "original", "--seed", "42", "--seed", "7", "--quiet")
    assert done.code == 0
    names = [tuple(path.split("/")[-2:]) for path in done.out.splitlines()]
    assert [(method, name.split("-")[1]) for method, name in names] == [
        ("original", "42"),
        ("finetune", "42"),
        ("original", "7"),
        ("finetune", "7"),
    ]
    assert sorted(map(str, warm.results.rglob("*.json"))) == sorted(done.out.splitlines())


@pytest.mark.slow
def test_options_come_before_environment_variables(warm):
    other = warm.root / "other"
    done = warm.run(*MMUL, "--quiet", "--results-dir", str(other))
    assert done.out.startswith(f"{other}/emoji/albef-tiny/mmul/")
    assert not warm.results.exists()
    assert warm.run(*MMUL, "--quiet").out.startswith(f"{warm.results}/")


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("tasks", {"emoji"}),
        ("methods", {"original", "retrain", "finetune", "gradient_ascent", "scrub", "mmul"}),
        ("backbones", {"albef"}),
        ("metrics", {"test", "retain", "forget", "forget_vs_retain_auc", "mia", "mi_ratio", "retrain_gap"}),
    ],
)
def test_list(what, names):
    entries = json.loads(here("list", what, "--json").out)
    assert names <= {entry["name"] for entry in entries}
    table = here("list", what)
    assert table.code == 0
    for entry in entries:
        assert entry["description"]
        assert entry["name"] in table.out


def test_list_shows_descriptions_as_they_are(tmp_path):
    path = tmp_path / "bracketed.py"
    path.write_text(
        '"""Mine."""\nfrom mmulbench import METHODS, Method\n\n\n@METHODS.register("bracketed")\n'
        'class Bracketed(Method):\n    """Takes [b, c] and [/x]."""\n\n'
        "    def unlearn(self, problem):\n        return problem.copy_of_original()\n"
    )
    done = here("list", "methods", "--plugin", str(path))
    assert (done.code, done.err) == (0, "")
    assert "Takes [b, c] and [/x]." in " ".join(done.out.split())


def test_show(ready):
    path = str(ready.record())
    record = RunResult.model_validate_json(ready.record().read_text())
    assert RunResult.model_validate_json(here("show", path, "--json").out) == record
    done = here("show", path)
    assert done.code == 0
    for part in (record.run_id, "Test utility", "mia", "torch ", "Reproduce with:\nmmulbench run"):
        assert part in done.out


def test_schema_describes_every_field_of_a_record(ready):
    schema = json.loads(here("schema").out)
    record = json.loads(ready.record().read_text())
    # Of checkpoints alone, of lists whose ids are kept, of models on a hub, and what was added later.
    rare = {"start", "forget_ids", "revisions", "added"}
    assert set(record) == set(schema["properties"]) - rare
    # A run without plug-in files, a list or models from elsewhere says nothing of them.
    assert {*record["spec"], "plugins", "forget", "given"} == set(schema["$defs"]["RunSpec"]["properties"])
    assert schema["additionalProperties"] is False
    assert schema == RunResult.model_json_schema()


def test_leaderboard_output_and_check(ready, tmp_path):
    path = tmp_path / "board.md"
    words = ["leaderboard", "--results-dir", str(ready.results), "--output", str(path)]
    missing = here(*words, "--check")
    assert (missing.code, missing.out) == (1, "")
    assert here(*words).out == f"{path}\n"
    assert "| mmul |" in path.read_text()
    assert here(*words, "--check").code == 0
    printed = here("leaderboard", "--results-dir", str(ready.results))
    assert printed.out == path.read_text()

    paper = here("leaderboard", "--paper", "--results-dir", str(ready.results))
    assert paper.out.startswith("# MMUL by its paper's protocol\n")
    assert re.search(r"^### emoji, albef:\w+: matching path$", paper.out, re.M)
    assert "Without a record here: `mmul` (default)" in paper.out

    path.write_text(path.read_text().replace("mmul", "mmull", 1))
    stale = here(*words, "--check")
    assert (stale.code, stale.out) == (1, "")
    assert stale.err.startswith(f"mmulbench: {path} differs from the records in {ready.results}: run ")


def test_the_command_a_stale_leaderboard_names_makes_it_right(ready, tmp_path):
    path = tmp_path / "board.md"
    words = ["leaderboard", "--metric", "mia", "--metric", "test", "--task", "emoji"]
    place = ["--results-dir", str(ready.results), "--output", str(path)]
    stale = here(*words, *place, "--check")
    assert stale.code == 1
    command = stale.err.partition(": run mmulbench ")[2].split()
    assert here(*command).code == 0
    assert here(*words, *place, "--check").code == 0


@pytest.mark.slow
def test_plot_writes_every_figure_as_png_svg_pdf_and_csv(ready, tmp_path):
    done = here("plot", "--results-dir", str(ready.results), "--output", str(tmp_path))
    assert done.code == 0
    assert sorted(done.out.split()) == sorted(map(str, tmp_path.iterdir()))
    by_kind = {path.suffix: path for path in tmp_path.glob("*-scores.*")}
    assert set(by_kind) == {".png", ".svg", ".pdf", ".csv"}
    assert by_kind[".pdf"].read_bytes().startswith(b"%PDF")
    assert by_kind[".png"].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in by_kind[".svg"].read_text()


def test_version_and_help():
    assert here("--version").out == f"mmulbench {__version__}\n"
    for words in ([], ["run"], ["list"], ["show"], ["leaderboard"], ["plot"], ["schema"]):
        done = here(*words, "--help")
        assert done.code == 0
        assert "Usage:" in done.out
    assert "--forget-size" in here("run", "--help").out
    nothing = here()
    assert (nothing.code, nothing.err) == (2, "")
    assert "Usage:" in nothing.out


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["list", "methods"], ["list", "metrics"]])
def test_help_and_list_import_nothing_slow(words):
    code = (
        "import sys\n"
        "from mmulbench.cli.app import main\n"
        f"code = main({words!r})\n"
        "slow = {'torch', 'transformers', 'pandas', 'numpy', 'scipy', 'sklearn', 'matplotlib'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_terminal_shows_stages_with_bars_and_time_left(bench):
    master, slave = pty.openpty()
    words = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--set", "recipe.batch_size=2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mmulbench", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=bench.root,
        env={**os.environ, **bench.environment, "TERM": "xterm-256color", "LINES": "40"},
    )
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 1 << 16):
            seen += chunk
    except OSError:  # Linux: the other end is closed
        pass
    assert process.wait(60) == 0
    os.close(master)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    for stage in ("[2/5 original] train original", "[3/5 retrain] train"):
        assert stage in text
    bar = r"\[2/5 original\] train original +\S+ +\d+/\d+ +\d+ (s|min) left( \(all: \d+ (s|min)\))?"
    assert re.search(bar, text)
    assert max(len(line) for line in re.split(r"[\r\n]+", text) if not line.startswith("Record")) <= 80
    assert "Traceback" not in text
