"""``mmulbench data prepare``: what a run needs, computed before, and taken up after an interruption."""

from __future__ import annotations

import json
import signal

import pytest
from helpers import TINY, Bench, here

EMOJI = ["data", "prepare", "emoji", "--set", "task.limit=40"]

SLOW = '''
"""albef:tiny whose pictures are resized ten at a time; the third ten wait until the file GO is there."""
import os, time
from dataclasses import replace
from pathlib import Path
from mmulbench.backbones.albef import AlbefBackbone
from mmulbench.core.registry import BACKBONES


@BACKBONES.register("slow")
class Slow(AlbefBackbone):
    name = "slow"

    def prepare(self, modality, items, track):
        found = super().prepare(modality, items, track)
        if modality == "text":
            return found

        def compute(rows):
            if rows.start == 20 and not Path(os.environ["GO"]).exists():
                journal, = Path(os.environ["MMULBENCH_CACHE"]).glob("features/*.tmp/journal.jsonl")
                while len(journal.read_text().splitlines()) < 3:
                    time.sleep(0.01)
                Path(os.environ["STOPPED"]).touch()
                while not Path(os.environ["GO"]).exists():
                    time.sleep(0.01)
            with Path(os.environ["GO"]).with_name("computed").open("a") as file:
                file.write(f"{rows.start} ")
            return found.compute(rows)

        return replace(found, block=10, workers=1, compute=compute)
'''


def with_slow(bench: Bench) -> Bench:
    site = bench.root / "site"
    (site / "slow-0.1.dist-info").mkdir()
    (site / "slow.py").write_text(SLOW)
    (site / "slow-0.1.dist-info" / "METADATA").write_text("Name: slow\nVersion: 0.1\n")
    (site / "slow-0.1.dist-info" / "entry_points.txt").write_text("[mmulbench.backbones]\nslow = slow\n")
    return bench


@pytest.mark.slow
def test_prepare_says_what_there_is_and_a_run_finds_it(bench):
    done = bench.run(*EMOJI, "-b", "albef:tiny")
    assert (done.code, done.err) == (0, "")
    title, image, text = done.out.splitlines()
    assert title == "emoji for albef:tiny"
    assert image.startswith("image: pixels 40 x 32 x 32 x 3 uint8; 122.9 kB; ") and " s; " in image
    assert text.startswith("text: ids 346 x 12 int32, mask 346 x 12 bool; 20.8 kB; ")
    made = bench.built("features")
    assert {line.rpartition("; ")[2] for line in (image, text)} == {str(path.parent) for path in made}

    done = bench.run(*EMOJI, "-b", "albef:tiny")
    assert done.out.count("; was there already; ") == 2
    done = bench.run("run", "-m", "original", *TINY, "-b", "albef:tiny", "--no-reference", "--json")
    assert (done.code, done.err) == (0, "")
    assert bench.built("features") == made


@pytest.mark.slow
def test_json(bench):
    found = [json.loads(bench.run(*EMOJI, "-b", "albef:tiny", "--json").out) for _ in range(2)]
    for new, report in zip((True, False), found, strict=True):
        assert (report["task"], report["backbone"]) == ("emoji", "albef:tiny")
        image, text = report["modalities"]
        assert (image["modality"], text["modality"]) == ("image", "text")
        assert image["inputs"] == {"pixels": {"shape": [40, 32, 32, 3], "dtype": "uint8"}}
        assert image["bytes"] == 40 * 32 * 32 * 3
        assert image["new"] is text["new"] is new
        assert image["folder"].startswith(str(bench.cache)) and image["seconds"] >= 0


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "kill_9"])
def test_an_interrupted_prepare_goes_on_where_it_was(bench, tmp_path_factory, how):
    words = [*EMOJI, "-b", "slow:tiny"]
    with_slow(bench)
    running = bench.start(*words)
    running.until(running.stopped.exists)
    if how == signal.SIGINT:  # what is being computed ends first
        bench.go()
    done = running.send(how)
    assert done.out == ""
    assert done.code == (130 if how == signal.SIGINT else -signal.SIGKILL)
    computed = bench.root / "computed"
    before = computed.read_text().split()
    assert before[:2] == ["0", "10"] and "30" not in before
    bench.go()
    computed.unlink()

    done = bench.run(*words)
    assert done.code == 0, done.err
    assert done.err.startswith("going on with what an interrupted command left of ")
    assert computed.read_text().split()[-1] == "30"
    assert not {"0", "10"} & set(computed.read_text().split())
    assert bench.leftovers() == []

    other = with_slow(Bench(tmp_path_factory.mktemp("uninterrupted")))
    other.go()
    assert other.run(*words).code == 0
    one, two = (
        {
            path.parent.name: path.with_name("tensors.safetensors").read_bytes()
            for path in each.built("features")
        }
        for each in (bench, other)
    )
    assert one == two


@pytest.mark.slow
def test_a_full_disk_is_one_line(bench):
    done = bench.run(*EMOJI, "-b", "albef:tiny", file_bytes=50_000)
    assert done.code == 1 and done.out == ""
    assert done.err.startswith(f"mmulbench: cannot write {bench.cache}") and done.err.count("\n") == 1
    assert done.err.endswith("; free space or choose another folder with --cache-dir\n")
    assert bench.built("features") == {}
    assert bench.run(*EMOJI, "-b", "albef:tiny").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["emojy"], "unknown task 'emojy'; did you mean emoji or emoji_nlvr?"),
        (["emoji", "-b", "albef:tinny"], "unknown variant 'tinny' of backbone albef"),
        (["emoji", "-b", "gtnn"], "backbone gtnn reads graph and text, but the task pairs image and text"),
        (
            ["emoji", "--set", "recipe.epochs=1"],
            "--set recipe.epochs=1: data prepare takes the task's settings",
        ),
        (["emoji", "--set", "limit=40"], "--set limit=40: data prepare takes the task's settings alone"),
        (["emoji", "--set", "task.limt=40"], "--set task.limt: task has no such setting"),
        (["coco", "-b", "albef:tiny"], "coco needs dataset_coco.json"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, words, message):
    done = here(
        "data", "prepare", *words, "--data-dir", str(tmp_path), "--cache-dir", str(tmp_path / "cache")
    )
    assert done.code == 2 and done.out == ""
    assert message in done.err and done.err.count("\n") == 1


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = here(*EMOJI, "-b", "albef:tiny", "--cache-dir", str(tmp_path / "file" / "cache"))
    assert done.code == 1 and "cannot use the cache folder" in done.err and done.err.count("\n") == 1


@pytest.mark.slow
def test_a_damaged_block_is_reported_and_rebuilt_by_a_run(bench):
    bench.run(*EMOJI, "-b", "albef:tiny")
    (entry,) = (path.parent for path in bench.built("features") if "layout" in json.loads(path.read_text()))
    tensors = entry / "tensors.safetensors"
    content = tensors.read_bytes()
    tensors.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    words = ["run", "-m", "original", *TINY, "-b", "albef:tiny", "--no-reference", "--json"]
    done = bench.run(*words)
    assert (done.code, done.err) == (0, f"cache entry {entry}: block 0 is damaged: rebuilding it\n")
    assert tensors.read_bytes() == content
