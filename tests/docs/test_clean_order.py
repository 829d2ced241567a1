"""What docs say of the candidates that order deleted pairs is what was measured."""

from __future__ import annotations

import json

from pages import ROOT, TEXTS

MEASURED = json.loads((ROOT / "benchmarks" / "clean_order.json").read_text(encoding="utf-8"))["tasks"]
PATHS = [
    (task, path) for task, found in MEASURED.items() for path in next(iter(found.values()))["correlation"]
]


def table() -> str:
    head = [f"{task}, {path}" for task, path in PATHS]
    lines = [
        f"| Candidate | {' | '.join(head)} | FLOPs, {' / '.join(MEASURED)} |",
        "|---|" + "---:|" * (len(head) + 1),
    ]
    for name in dict.fromkeys(name for found in MEASURED.values() for name in found):
        cells = []
        for task, path in PATHS:
            row = MEASURED[task].get(name)
            cells.append("–" if row is None else f"{row['correlation'][path]:.2f}".replace("0.", ".", 1))
        costs = [
            "–" if name not in found else f"{100 * found[name]['flops_ratio']:.0f} %"
            for found in MEASURED.values()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} | {' / '.join(costs)} |")
    return "\n".join(lines)


def test_the_table_is_what_was_measured():
    assert table() in TEXTS["docs/concepts/counterfactual.md"], "\n" + table()


def test_the_closed_form_is_nearer_to_retrain_than_the_original_where_it_is_said_to_be():
    for task, path in PATHS:
        found = {name: row["correlation"][path] for name, row in MEASURED[task].items()}
        assert found["closed form from clean features"] > found["the original itself"] - 0.05, (task, path)
        assert max(found, key=lambda name: found[name]) == "a second retrain", (task, path)
