from __future__ import annotations

from mmulbench.loggers.run_log import flat


def test_nested_settings_become_names_with_points():
    nested = {"task": "emoji", "config": {"lr": 0.1, "more": {"deep": None}}, "seeds": [1, 2]}
    assert dict(flat(nested)) == {
        "task": "emoji",
        "config.lr": 0.1,
        "config.more.deep": None,
        "seeds": [1, 2],
    }
