from __future__ import annotations

from dataclasses import replace

import yaml
from given_models import CARD

from mmulbench.exports.model_card import card_text


def test_a_card_says_what_was_forgotten_by_what():
    text = card_text(CARD, "CLIP", {"Made for": "retrieval"}, ["x = 1"], ["A note."])
    for said in (
        "| Method | grad_diff |",
        "| Settings | lr=0.001, epochs=2 |",
        "| Forgotten | 4 units with 9 pairs |",
        "| Digest of the forget list | 0123abcd |",
        "| Verdict | forgotten: no path tells more than of retrain |",
        "| Record | 4f5a6b7c8d9e |",
        "| Made with | mmulbench 0.1.0, torch 2.6 |",
        "| Licence | MIT |",
        "| Made for | retrieval |",
        "```python\nx = 1\n```",
        "\nA note.\n",
    ):
        assert said in text


def test_its_head_is_data_that_hubs_read():
    head = card_text(CARD, "CLIP", {}, [], []).split("---\n")[1]
    assert "machine-unlearning" in yaml.safe_load(head)["tags"]


def test_nothing_breaks_out_of_its_cell():
    text = card_text(replace(CARD, verdict="a|b\n# c", licence=""), "CLIP\n| x", {}, [], [])
    assert "| Verdict | a\\|b # c |" in text and "\n# CLIP \\| x\n" in text
    assert "| Licence | not known here" in text
