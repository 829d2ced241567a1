from __future__ import annotations

from mmulbench.validity.findings import LONGEST, Finding, shown


def test_a_fault_says_what_is_wrong_and_what_it_should_be():
    fault = Finding("values.test.value", "is 17", "in the range from 0 to 1")
    assert fault.is_fault
    assert fault.text == "values.test.value is 17; it should be in the range from 0 to 1"


def test_what_cannot_be_checked_is_no_fault():
    note = Finding("spec.method", "it is not known here")
    assert not note.is_fault
    assert note.text == "spec.method cannot be checked: it is not known here"


def test_texts_of_files_stay_in_one_line_of_bearable_length():
    assert Finding("a\nb", "is \x1b[2J", "c").text == "a b is \\x1b[2J; it should be c"
    assert shown("x" * 1000) == "x" * LONGEST + "…"
    assert (shown(None), shown(0.1 + 0.2), shown(3)) == ("null", "0.3", "3")
