"""What is printed of records that lie beside others in a results folder."""

from __future__ import annotations

import pytest
from planted_results import Planted, World

from mmulbench.cli.run_output import show_record
from mmulbench.records.store import ResultsStore


@pytest.fixture
def folder(tmp_path):
    """Three retrains of each of three seeds, and a method that leaks on one path."""
    store = ResultsStore(tmp_path)
    leaky = Planted({"mia/contrastive": 0.3})
    for record in World().records({"mmul": leaky, "original": leaky}, draws=3):
        store.write(record)
    return tmp_path / "emoji" / "albef-packaged"


def shown(folder, capsys):
    (path,) = folder.glob("mmul/68-42-*.json")
    show_record(path, as_json=False)
    return " ".join(capsys.readouterr().out.split())


def test_show_reads_the_noise_floor_from_the_records_beside(folder, capsys):
    text = shown(folder, capsys)
    assert "mmul did not forget: the contrastive path still knows the forget set (attack AUC ." in text
    assert "two retrains differ by up to ." in text
    assert "Noise floor unknown" not in text


def test_files_that_are_no_records_do_not_count(folder, capsys):
    for path in (folder / "retrain_again").iterdir():
        path.write_text("{")
    assert "Noise floor unknown: `mmulbench run --method retrain_again --task emoji …`" in shown(
        folder, capsys
    )


def test_a_record_alone_has_an_unknown_floor(folder, tmp_path, capsys):
    (path,) = folder.glob("mmul/68-42-*.json")
    alone = tmp_path / "alone.json"
    alone.write_bytes(path.read_bytes())
    show_record(alone, as_json=False)
    assert "Noise floor unknown" in " ".join(capsys.readouterr().out.split())


def test_tables_in_files_and_pipes_are_whole(folder, capsys):
    (path,) = folder.glob("mmul/68-42-*.json")
    show_record(path, as_json=False)
    out = capsys.readouterr().out
    assert "…" not in out.replace("emoji …", "")
    assert max(map(len, out.splitlines())) <= 100
