"""The three sentences of tables of which the right answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from standings import WHOLE, line, measure, standing

from mmulbench.report.answer import answer
from mmulbench.report.standing import ShadowAttack

ORIGINAL = line("original", "unforgotten", gap=0.3)


def test_the_first_of_the_first_rank_is_the_method_to_use():
    use, following, cost = answer(WHOLE)
    assert use.startswith("Use near (tuned), gap .030 [.020, .040] (a second retrain: .008); ")
    assert use.endswith("; it forgot in every seed and kept its utility.")
    assert "on its worst path (matching) the attack's AUC is .600, retrain's .500" in use
    assert following == "It cannot be told from as_near; the next that can is far (.200)."
    assert cost == "It costs 8.3 % of retraining's time (12.0 s) and 1.0 points of test utility."


def test_a_method_that_stands_alone_is_told_from_the_next():
    _, following, _ = answer(standing(line("a", rank=1), line("b", rank=2, gap=0.2)))
    assert following == "It can be told from the next, b (.200)."
    _, following, _ = answer(standing(line("a", rank=1), ORIGINAL))
    assert following == "No other method is ranked, so that there is none to tell it from."


def test_what_forgot_in_most_seeds_says_in_how_many():
    use, *_ = answer(standing(line("a", rank=1, verdict="forgot 2/3")))
    assert use.startswith("Use a, gap ") and use.endswith("it forgot in 2/3 seeds and kept its utility.")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("did not forget 2/3", "did not forget 2/3."), ("over-forgot", "over-forgot in every seed.")],
)
def test_a_method_that_did_not_forget_in_most_seeds_is_not_recommended(verdict, said):
    first, *_ = answer(standing(line("a", rank=1, verdict=verdict)))
    assert first.startswith("No method of rank 1 forgot in most seeds: the closest to retrain is a,")
    assert first.endswith(f"verdict: {said}")


def test_of_methods_that_cannot_be_told_apart_one_that_forgot_is_recommended():
    lines = [line("a", rank=1, gap=0.1, verdict="did not forget 2/3"), line("b", rank=1, gap=0.11)]
    use, following, _ = answer(standing(*lines))
    assert use.startswith("Use b, gap .110") and following.startswith("It cannot be told from a;")


@pytest.mark.parametrize(("ratio", "shown"), [(1.1, "1.1"), (0.996, "1.0")])
def test_a_method_that_takes_as_long_as_retraining_is_not_recommended(ratio, shown):
    slow = line("slow", rank=1, ratio=measure(ratio))
    first, _, cost = answer(standing(slow, line("unsure", rank=1, verdict="did not forget 2/3")))
    assert first.startswith("Retrain, which takes no longer than what comes closest: slow, gap ")
    assert first.endswith("; it forgot in every seed and kept its utility.")
    assert cost.startswith(f"It costs {shown} times retraining's time")


def test_of_methods_that_cannot_be_told_apart_one_faster_than_retraining_is_recommended():
    lines = [line(name, rank=1, ratio=measure(ratio)) for name, ratio in (("a", 1.0), ("b", 0.9), ("c", 0.1))]
    use, following, _ = answer(standing(*lines))
    assert use.startswith("Use b, gap ") and following.startswith("It cannot be told from a and c;")


def test_a_method_whose_settings_were_taken_over_is_named_with_where_they_were_found():
    taken = line("a (tuned)", rank=1, taken_from="flags with clip:mini")
    use, *_ = answer(standing(taken))
    assert use.startswith("Use a (tuned on flags with clip:mini), gap ")
    none, *_ = answer(standing(replace(taken, block="unforgotten", rank=None), ORIGINAL))
    assert "is a (tuned on flags with clip:mini), gap " in none


def test_where_none_forgot_the_closest_that_kept_its_utility_is_named_as_no_answer():
    table = standing(
        line("near", "out", gap=0.05, out="test −7.1"), line("mid", "unforgotten", gap=0.1), ORIGINAL
    )
    none, nearer, cost = answer(table)
    assert none.startswith("No method forgot in any seed and kept its utility: ")
    assert "mid, gap .100 [.090, .110] (original: .300)" in none
    assert nearer == "Closer to retrain, but out of competition by lost points: near (test −7.1)."
    assert cost.startswith("It costs 8.3 %")


def test_where_none_kept_its_utility_that_is_said_and_which_forgot_nevertheless():
    over = line("a", "out", gap=0.05, out="retain −8.0", verdict="over-forgot")
    forgot = line("b", "out", gap=0.09, out="test −4.0", verdict="forgot 2/3")
    known = line("c", "unforgotten", gap=0.07, out="test −3.5", verdict="did not forget")
    table = standing(over, forgot, known, ORIGINAL, why_not="every row lost utility")
    none, cost, nevertheless = answer(table)
    assert none == (
        "No method kept its utility, so that none is ranked: the closest to retrain is a, gap "
        ".050 [.040, .060] (original: .300), with retain −8.0; on its worst path (matching) the attack's "
        "AUC is .600, retrain's .500; verdict: over-forgot in every seed."
    )
    assert nevertheless == "The closest of those that forgot is b, gap .090 [.080, .100], with test −4.0."
    assert cost.startswith("It costs 8.3 %")
    assert answer(standing(known, ORIGINAL))[2] == "None forgot in most seeds."


def test_the_closest_may_be_one_that_forgot():
    out = line("a", "out", gap=0.05, out="retain −8.0")
    assert answer(standing(out))[2] == "It is the closest of those that forgot, too."


def test_where_nothing_is_ranked_no_method_is_recommended():
    first, second, _ = answer(standing(line("b", gap=0.2), line("a", gap=0.1), why_not="2 seeds are too few"))
    assert first == "Which method to use is not known, nothing is ranked: 2 seeds are too few."
    assert second.startswith("The smallest gap is that of a, .100")


def test_without_numbers_there_is_one_sentence():
    table = standing(line("retrain", "reference", gap=0.0), ORIGINAL, line("a", "no result", gap=None))
    assert answer(table) == ["No method has numbers here."]


def test_utility_above_retrains_costs_nothing_and_long_times_are_multiples():
    better = measure(0.5, retrain=0.4, difference=0.1, distance=0.1)
    own = line("a", rank=1, ratio=measure(1.5), seconds=measure(30.0))
    *_, cost = answer(standing(line("a", rank=1, ratio=own.ratio, measures={**own.measures, "test": better})))
    assert cost == "It costs 1.5 times retraining's time (12.0 s) and no test utility."


ATTACK = ShadowAttack("matching", 31, (42,), 0.62, 0.57, 0.67, 0.51)


@pytest.mark.parametrize(("low", "ends"), [(0.57, " [.570, .670]"), (None, "")])
def test_what_an_attacker_with_shadow_models_tells_is_said_last(low, ends):
    first = line("a", rank=1, shadows=replace(ATTACK, low=low))
    *_, cost, attacked = answer(standing(first, line("b", rank=2, gap=0.2)))
    assert attacked == (
        "An attacker with 31 shadow models tells its models from retrained ones by deleted pairs "
        f"with AUC .620{ends}, and by pairs that no model has seen with .510."
    )
    assert cost.startswith("It costs")
    idle = replace(first, rank=None, block="unforgotten", verdict="did not forget")
    assert answer(standing(idle))[-1] == attacked
