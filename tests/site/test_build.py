from __future__ import annotations

import re

import pytest
from sites import METHODS, pages, small_results

from mmulbench.audit.examples import Examples
from mmulbench.site.skeleton import GENERATOR


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return small_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def site(results):
    return pages(results)


def test_every_run_has_a_page_that_the_first_one_links_to(site):
    first, *others = site
    assert first == "index.html" and len(others) == len(METHODS)
    linked = re.findall('<td class="runs"><a href="([^"]+)"', site[first])
    assert sorted(linked) == sorted(others)
    for text in site.values():
        assert GENERATOR in text[:400]


def test_links_back_lead_to_the_table_of_the_run(site):
    first, *others = site
    for address in others:
        (anchor,) = re.findall(r'href="\.\./index\.html#([^"]+)"', site[address])
        assert f'id="{anchor}"' in site[first]


def test_the_same_records_give_the_same_pages_wherever_they_lie(site, tmp_path):
    again = pages(small_results(tmp_path / "elsewhere"))
    assert again == site and [*again] == [*site]


def test_examples_are_looked_for_only_where_they_are_wanted(results, site):
    assert all("--examples" in text for address, text in site.items() if address != "index.html")
    asked = []

    def find(result, path):
        assert path.is_file() and result.run_id in path.name
        asked.append(result.run_id)
        return Examples(reason="of the test")

    found = pages(results, find)
    assert len(asked) == len(METHODS)
    assert sum("No examples are shown: of the test." in text for text in found.values()) == len(METHODS)
