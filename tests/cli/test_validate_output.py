from __future__ import annotations

from pathlib import Path

from mmulbench.cli import validate_output
from mmulbench.validity.files import Checked
from mmulbench.validity.findings import Finding


def test_many_records_of_a_kind_are_one_note(capsys, monkeypatch):
    note = Finding("spec.method", "it is not known here")
    found = [Checked(Path(f"{number}.json"), (), (note,)) for number in range(1200)]
    monkeypatch.setattr(validate_output, "check_places", lambda *_: iter(found))
    assert validate_output.print_checked([Path()], as_json=False) == 0
    assert capsys.readouterr().out.splitlines() == [
        "note: in 1,200 records spec.method cannot be checked: it is not known here",
        "1,200 records: all hold",
    ]


def test_names_of_files_stay_in_one_line(capsys, monkeypatch):
    fault = Finding("reason", "is x", "null")
    found = [Checked(Path("a\nb.json"), (fault,)), Checked(Path("c.json"), (fault,))]
    monkeypatch.setattr(validate_output, "check_places", lambda *_: iter(found))
    assert validate_output.print_checked([Path()], as_json=False) == 1
    assert capsys.readouterr().out.splitlines() == [
        "a\\nb.json: reason is x; it should be null",
        "c.json: reason is x; it should be null",
        "2 of 2 records do not hold",
    ]
