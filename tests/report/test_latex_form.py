from __future__ import annotations

import re

import pytest
from standings import WHOLE, found, line, standing

from mmulbench.report.latex_form import SIGNS, latex, latex_form
from mmulbench.report.page import PageLook
from mmulbench.report.standing_view import View


def test_a_table_has_booktabs_rules_and_the_line_is_one():
    lines = latex_form(found(WHOLE), PageLook()).splitlines()
    rules = [text for text in lines if text.startswith("\\") and text.endswith("rule")]
    assert rules == ["\\toprule", "\\midrule", "\\midrule", "\\bottomrule"]
    above, below = (next(i for i, text in enumerate(lines) if name in text) for name in ("broken", "idle"))
    assert lines[above + 1] == "\\midrule" and below == above + 2
    assert "1 & \\textbf{near (tuned)} & forgot & \\textbf{.030 {[}.020, .040{]}}" in "\n".join(lines)


def test_each_row_has_as_many_cells_as_the_table_has_columns():
    text = latex_form(found(WHOLE), PageLook(view=View(wide=True)))
    for aligned, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.S):
        rows = [row for row in body.splitlines() if row.endswith("\\\\")]
        assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {len(aligned)}
    assert text.count("\\begin{table}") == 2, "other settings have a table of their own"
    assert len(set(re.findall(r"\\label\{(.*?)\}", text))) == 2


@pytest.mark.parametrize("sign", [sign for sign in SIGNS if sign.isascii()])
def test_no_sign_of_a_name_is_obeyed(sign):
    written = latex(f"a{sign}b")
    assert written == f"a{SIGNS[sign]}b"
    assert re.sub(r"\\[a-z]+\{\}|\\[{}$&#%_]|\{[\[\]]\}", "", written) == "ab"


def test_names_of_records_add_no_command_and_no_line():
    odd = "x}\\input{/etc/passwd} $a$ % & # _ ~ ^\n\x1b[2J"
    text = latex_form(found(standing(line(odd, tuned=odd), not_applicable=((odd, odd),))), PageLook(odd))
    assert "\\input" not in text.replace("% x}\\input", "") and "\x1b" not in text
    plain = re.sub(r"(?m)^%.*$", "", text)
    for opened, closed in ("{}",):
        unescaped = re.sub(r"\\[{}]", "", plain)
        assert unescaped.count(opened) == unescaped.count(closed)
    assert not re.search(r"(?<!\\)[%#]", plain)


def test_signs_of_tables_are_written_as_mathematics():
    assert latex("−1.0 ± 2 × 3′ †") == r"$-$1.0 $\pm$ 2 $\times$ 3$'$ $^\dagger$"
