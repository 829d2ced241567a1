"""What a record's texts can do to a terminal: nothing."""

from __future__ import annotations

from planted_results import Planted, World

from mmulbench.records.printable import printable


def test_texts_and_names_are_in_one_line_and_numbers_stay():
    *_, record = World(seeds=(42,)).records({"mmul": Planted()}, draws=0)
    assert printable(record) is record
    tuning = World().tuned(record, lr=0.1).tuning
    assert tuning is not None
    odd = record.model_copy(
        update={
            "status": "failed",
            "reason": "a\n\x1b[2Jb",
            "missing": ["\x07", "c  d"],
            "command": "mmulbench\nrun",
            "tuning": tuning.model_copy(update={"overridden": ("l\x1br",)}),
            "origins": {"l\x1br": "command\nline"},
            "values": {**record.values, "x\r": record.values["test"]},
            "spec": record.spec.model_copy(update={"config": {"na\nme": "\x9b", "lr": 0.5}}),
        }
    )
    safe = printable(odd)
    assert (safe.reason, safe.missing, safe.command) == (r"a \x1b[2Jb", [r"\x07", "c d"], "mmulbench run")
    assert safe.tuning is not None and safe.tuning.overridden == (r"l\x1br",)
    assert safe.origins == {r"l\x1br": "command line"}
    assert safe.spec.config == {"na me": r"\x9b", "lr": 0.5}
    assert safe.values == {**record.values, "x": record.values["test"]}
    assert (safe.run_id, safe.by_unit, safe.histograms) == (odd.run_id, odd.by_unit, odd.histograms)
