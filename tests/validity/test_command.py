from __future__ import annotations

import pytest
from forged import forged

from mmulbench.core.reproduce import command_of
from mmulbench.core.run_code import code_of_run
from mmulbench.validity.command import check_command

RUN = "mmulbench run --method mmul --task emoji --backbone albef:packaged --forget-size 64 --seed 42"


def found(command, **changes):
    record = forged({"command": command, "code": {}, **changes})
    return record, list(check_command(record))


def test_the_command_of_a_committed_record_is_the_derived_one():
    record = forged({})
    assert record.command == command_of(record)
    assert list(check_command(record)) == []


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf ~",
        "",
        f"{RUN}; rm -rf ~",
        f"{RUN} 'unclosed",
        f"{RUN} --set",
        f"{RUN} --exec rm",
        f"{RUN} --seed 43",
        f"{RUN} --set lr=1.0",
        f"{RUN} --set speed=1",
        RUN.replace("mmul ", "scrub "),
        RUN.replace("emoji", "flags"),
        RUN.replace("packaged", "tiny"),
        RUN.replace("64", "65"),
        RUN.replace("run", "sweep"),
        "mmulbench run --task emoji",
    ],
)
def test_a_command_of_another_run_is_found(command):
    record, (fault,) = found(command)
    assert fault.is_fault and fault.field == "command"
    assert fault.expected == command_of(record)


@pytest.mark.parametrize(
    "command",
    [
        f"{RUN} --untuned --data-dir '/my data' --device cuda:0 --processes 2",
        f"{RUN} --set lr=3e-4 --set recipe.epochs=150 --set partner=retain --untuned",
        "mmulbench run --method mmul --task emoji --seed 42",
    ],
)
def test_other_words_for_the_same_run_are_none(command):
    assert found(command)[1] == []


def test_a_setting_that_the_command_hides_is_found_where_the_code_is_today_s():
    code = code_of_run("mmulbench.methods.mmul", "emoji", "albef:packaged")
    changes = {"spec.config.lr": 0.01}
    _, (note,) = found(RUN, **changes)
    assert not note.is_fault and "leaves out lr" in note.wrong
    record, (fault,) = found(RUN, **changes, code=code)
    assert fault.is_fault and "--set lr=0.01" in fault.expected == command_of(record)


def test_a_checkpoint_is_known_by_its_digest():
    other = {"spec.backbone": "albef:flickr.pth@0123456789ab"}
    assert found(RUN.replace("packaged", "/my/flickr.pth@0123456789ab"), **other)[1] == []
    assert found(RUN.replace("packaged", "/my/flickr.pth@ba9876543210"), **other)[1] != []
