from __future__ import annotations

import hashlib
import shlex

import pytest
from forged import RESULTS, forged

from mmulbench.core.reproduce import OwnSettings, command_of, differing_settings, words_of
from mmulbench.records.store import ResultsStore

RUN = "mmulbench run --method mmul --task emoji --backbone albef:packaged --forget-size 64 --seed 42"


def test_the_commands_of_committed_records_follow_from_what_they_are():
    for record in ResultsStore(RESULTS).load_all()[0]:
        assert command_of(record) == record.command


@pytest.mark.parametrize("command", ["rm -rf ~", "", "mmulbench run --exec 'x", "mmulbench run --seed 9"])
def test_what_the_file_says_is_not_printed(command):
    assert command_of(forged({"command": command})) == f"{RUN} --untuned"


def test_other_settings_than_the_own_are_given():
    changes = {"spec.config.lr": 0.01, "spec.recipe.epochs": 3, "spec.task_config.limit": 40}
    record = forged(changes)
    wanted = f"{RUN} --set task.limit=40 --set recipe.epochs=3 --set lr=0.01 --untuned"
    assert command_of(record) == wanted
    assert differing_settings(record.spec, OwnSettings.of(record.spec)) == {
        "task.limit": 40,
        "recipe.epochs": 3,
        "lr": 0.01,
    }


def test_of_a_method_that_is_not_known_all_settings_are_given():
    command = command_of(forged({"spec.method": "mine", "spec.config": {"a b": "c; rm"}}))
    assert shlex.split(command)[-3:] == ["--set", "a b=c; rm", "--untuned"]


def test_reference_and_shadow_models_are_those_of_the_values():
    record = forged({"shadows": 8})
    assert command_of(record).endswith(" --untuned --shadows 8")
    alone = {name: one.model_copy(update={"retrain": None}) for name, one in record.values.items()}
    without = record.model_copy(update={"values": alone, "shadows": 0})
    assert command_of(without).endswith(" --untuned --no-reference")
    failed = record.model_copy(update={"values": {}, "shadows": 0, "status": "failed"})
    assert command_of(failed) == f"{RUN} --untuned"
    said = failed.model_copy(update={"command": "x --no-reference --shadows 5"})
    assert command_of(said) == f"{RUN} --untuned --no-reference --shadows 5"
    odd = failed.model_copy(update={"command": "x --shadows '5; rm'"})
    assert command_of(odd) == f"{RUN} --untuned"


def test_a_checkpoint_has_its_place_where_the_content_is_named():
    spec = {"spec.backbone": "albef:flickr.pth@0123456789ab"}
    for place in ("albef:/my/flickr.pth@0123456789ab", "albef:/my data/x@0123456789ab"):
        command = f"mmulbench run --backbone {shlex.quote(place)}"
        assert f" --backbone {shlex.quote(place)} " in command_of(forged({**spec, "command": command}))
    for place in ("albef:/my/flickr.pth@ba9876543210", "clip:/my/x@0123456789ab", "albef:tiny"):
        command = f"mmulbench run --backbone {place}"
        assert " --backbone albef:flickr.pth@0123456789ab " in command_of(
            forged({**spec, "command": command})
        )


def test_a_plug_in_has_its_place_where_the_content_is_there(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("METHODS")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    changes = {"spec.method": "mine", "spec.plugins": {"mine": digest}}
    record = forged({**changes, "command": f"mmulbench run --plugin {path}"})
    assert f" --plugin {path} " in command_of(record)
    path.write_text("import os")
    assert " --plugin FILE " in command_of(record)
    path.unlink()
    assert " --plugin FILE " in command_of(record)


def test_an_open_quotation_has_no_words():
    assert words_of("a 'b") == []
    assert words_of("a 'b c'") == ["a", "b c"]
