"""How texts are cleaned."""

from __future__ import annotations

import pytest

from mmulbench.tasks._official.pair_table import clean


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("Tom &amp;amp; Ann&#39;s &#x22;caf&eacute;&#X22;", 'Tom &amp; Ann\'s "café"'),
        ("a&nbsp; b\t c", "a b c"),
    ],
)
def test_entities_are_replaced_once(text, wanted):
    assert clean(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "store&region map",
        "cut&copy button",
        "one&not two",
        "&region; and &notit;",
        "R&D, AT&T; this & that;",
        "?a=1&lt=2&#65 &; &#; &#x;",
    ],
)
def test_an_ampersand_that_begins_no_entity_is_text(text):
    assert clean(text) == text
