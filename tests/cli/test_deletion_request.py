"""A deletion request from end to end, as the tutorial has it: a CSV, a model, a list, and a model back.

The checkpoints are tiny and were never trained, so that nothing is said of how well a method forgets.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blip_checkpoints
import clip_checkpoints
import pytest
import vilt_checkpoints
from helpers import Bench, here
from pages import COMMANDS
from table_miniatures import pair_rows, write_csv, write_pictures

SHORT = ["--set", "recipe.epochs=1", "--set", "recipe.batch_size=32", "--device", "cpu"]


def _clip(folder: Path, seed: int) -> None:
    clip_checkpoints.write(folder, clip_checkpoints.make("clip", seed))


def _siglip(folder: Path, seed: int) -> None:
    clip_checkpoints.write(folder, clip_checkpoints.make("siglip", seed))


def _blip(folder: Path, seed: int) -> None:
    blip_checkpoints.write(folder, blip_checkpoints.make(seed))


def _vilt(folder: Path, seed: int) -> None:
    vilt_checkpoints.write_checkpoint(folder, vilt_checkpoints.RETRIEVAL, seed=seed)


FAMILIES: dict[str, tuple[Callable[[Path, int], None], str]] = {
    "clip": (_clip, "CLIPModel"),
    "siglip": (_siglip, "SiglipModel"),
    "blip": (_blip, "BlipForImageTextRetrieval"),
    "vilt": (_vilt, "ViltForImageAndTextRetrieval"),
}


@pytest.fixture
def desk(tmp_path) -> Bench:
    """Sixty pictures with a table, and a request to forget a person."""
    bench = Bench(tmp_path)
    write_pictures(tmp_path)
    write_csv(tmp_path / "photos.csv", pair_rows())
    (tmp_path / "request.txt").write_text("p1\n")
    return bench


def words_of(name: str, desk: Bench) -> list[str]:
    """The words of a command of the tutorial, with its files where they are here."""
    places = ["photos.csv", "request.txt", "my-clip", "clip-before", "unlearned", "audit"]
    words = shlex.split(COMMANDS[name])[1:]
    for place in places:
        words = [
            word.replace(place, str(desk.root / place)) if word in (place, f"task.table={place}") else word
            for word in words
        ]
    return words


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_request_becomes_a_model_that_others_load_and_judge_alike(desk, family):
    write, loader = FAMILIES[family]
    write(desk.root / "my-clip", 1)
    write(desk.root / "clip-before", 2)
    made = desk.run(*words_of("deletion_run", desk), *SHORT, "--set", "mmul.epochs=1", "--json")
    assert made.code == 0, made.err
    (record,) = made.records
    assert record.status == "done" and record.spec.forget_size == 1  # a person, with all her pictures
    assert "forgets 1 units with all their 8 pairs" in made.err

    import transformers

    model: Any = getattr(transformers, loader).from_pretrained(desk.root / "unlearned")
    assert not model.training

    judged = desk.run(*words_of("deletion_evaluate", desk), *SHORT, "--json")
    assert judged.code == 0, judged.err
    outside = json.loads(judged.out)
    assert outside["values"] == json.loads(record.model_dump_json())["values"]
    assert outside["spec"]["forget_size"] == 1
    assert outside["spec"]["forget"] == json.loads(record.model_dump_json())["spec"]["forget"]
    assert "p1" not in json.dumps(outside["spec"]) + outside["command"]


@pytest.mark.slow
def test_models_and_lists_that_do_not_go_together(desk):
    _clip(desk.root / "my-clip", 1)
    _vilt(desk.root / "clip-before", 2)
    other = desk.run(*words_of("deletion_run", desk), *SHORT)
    assert other.code == 2 and "--retrain-from does not go with --original" in other.err
    (desk.root / "request.txt").write_text("test0\n")
    shared = [word for word in words_of("deletion_run", desk) if "clip-before" not in word]
    shared[shared.index("--retrain-from")] = "--no-reference"
    tested = desk.run(*shared, *SHORT)
    assert tested.code == 2 and "not in the training split but in that of test" in tested.err
    assert (not (desk.root / "unlearned").exists() and not desk.results.exists()) or not list(
        desk.results.rglob("*.json")
    )


def test_the_commands_are_parsed_as_they_stand():
    for name in ("deletion_run", "deletion_evaluate", "deletion_export"):
        done = here(*shlex.split(COMMANDS[name])[1:], "--help")
        assert done.code == 0
