from __future__ import annotations

from html.parser import HTMLParser

from standings import WHOLE, found, line, standing

from mmulbench.report.html_form import html_form
from mmulbench.report.page import PageLook

VOID = {"meta"}


class Reader(HTMLParser):
    """Reads the elements of a page, their texts and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[list[str]] = []
        self.sections: list[int] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        if tag in ("thead", "tbody"):
            self.sections.append(len(self.cells))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells[-1][-1] += data


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_a_page_is_well_formed_and_holds_every_line():
    reader = read(html_form(found(WHOLE), PageLook()))
    names = [cells[1] for cells in reader.cells if cells[0] != "#"]
    shown = [one.name + ("†" if one.out else "") for one in WHOLE.lines]
    assert names == shown
    assert {len(cells) for cells in reader.cells} == {7}
    assert len(reader.sections) == 3 + 2, "heading, above and below the line; then other settings"


def test_a_page_needs_nothing_else_and_runs_nothing():
    text = html_form(found(WHOLE), PageLook())
    assert not {"script", "img", "link", "iframe"} & read(text).tags
    assert "default-src 'none'" in text and "http:" not in text and "https:" not in text


def test_texts_of_records_are_no_html():
    odd = '<script>alert(1)</script> "onload=x \x1b[2J'
    table = standing(line(odd, rank=1), not_applicable=((odd, odd),))
    text = html_form(found(table), PageLook(odd))
    reader = read(text)
    assert "script" not in reader.tags and "onload" not in reader.attributes and "\x1b" not in text


def test_without_tables_the_page_says_so():
    assert "No runs yet." in html_form(found(), PageLook())
