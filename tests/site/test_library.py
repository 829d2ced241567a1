from __future__ import annotations

import sys

import pytest

from mmulbench.errors import UsageError
from mmulbench.site.library import drawing_library


def test_it_is_d3_and_ends_no_element_that_it_stands_in():
    text = drawing_library()
    assert "d3js.org" in text[:200] and "Copyright" in text[:200]
    assert "</script" not in text.lower() and "<!--" not in text and "\r" not in text
    assert len(text) < 500_000


def test_without_the_package_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "mpld3", raising=False)
    with pytest.raises(UsageError, match=r'needs the package mpld3: run pip install "mmulbench\[site\]"'):
        drawing_library()
