"""Answer in three sentences: which method to use, whether it can be told from the next, what it costs.

A fourth says what an attacker with shadow models tells of it, where one was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmulbench.report.noise_floor import GAP
from mmulbench.report.standing import Line, Standing
from mmulbench.report.standing_view import AS_LONG, cost_text, gap_text, points_text, short


def answer(standing: Standing) -> list[str]:
    """Return the sentences, without markup; one where no method has numbers.

    Args:
        standing: the table, in its usual order.
    """
    lines = [one for one in standing.of_blocks("ranked", "out", "unforgotten") if one.method != "original"]
    known = [one for one in lines if GAP in one.measures]
    if not known:
        return ["No method has numbers here."]
    ranked = [one for one in known if one.rank is not None]
    if ranked:
        best = [one for one in ranked if one.rank == 1]
        forgot = [one for one in best if one.verdict.startswith("forgot")]
        first = min(forgot, key=_is_slow) if forgot else best[0]
        return [_use(first, standing), _next(first, ranked), _cost(first), *_attacked_further(first)]
    kept = [one for one in known if not one.out]
    first = min(kept or known, key=lambda one: one.gap)
    if not kept:
        return [_none_kept(first, standing), _cost(first), _forgot_nevertheless(first, known)]
    if standing.why_not:
        why = f"Which method to use is not known, nothing is ranked: {standing.why_not}."
        return [why, f"The smallest gap is that of {_called(first)}, {gap_text(first)}.", _cost(first)]
    return [_none(first, standing), _nearer(first, known), _cost(first), *_attacked_further(first)]


def _use(first: Line, standing: Standing) -> str:
    floor = "" if standing.floor is None else f" (a second retrain: {short(standing.floor)})"
    closest = f"{_called(first)}, gap {gap_text(first)}{floor}; {_attacked(first)}"
    if first.verdict.startswith("forgot"):
        seeds = f"{first.verdict.removeprefix('forgot ')} seeds" if "/" in first.verdict else "every seed"
        which = "Retrain, which takes no longer than what comes closest:" if _is_slow(first) else "Use"
        return f"{which} {closest}; it forgot in {seeds} and kept its utility."
    none = "No method of rank 1 forgot in most seeds"
    return f"{none}: the closest to retrain is {closest}; verdict: {_judged(first)}."


def _judged(line: Line) -> str:
    return line.verdict if "/" in line.verdict else f"{line.verdict} in every seed"


def _is_slow(line: Line) -> bool:
    """Tell whether a method takes as long as retraining, or does so as it is shown: 1.0 times."""
    return line.ratio is not None and line.ratio.mean >= AS_LONG


def _next(first: Line, ranked: Sequence[Line]) -> str:
    """Say who cannot be told from the first, and who is the next that can."""
    alike = [one.name for one in ranked if one.rank == 1 and one is not first]
    after = next((one for one in ranked if one.rank != 1), None)
    beyond = "no other is ranked" if after is None else f"the next that can is {_gap_of(after)}"
    if alike:
        return f"It cannot be told from {_listed(alike)}; {beyond}."
    if after is None:
        return "No other method is ranked, so that there is none to tell it from."
    return f"It can be told from the next, {_gap_of(after)}."


def _none(first: Line, standing: Standing) -> str:
    return (
        "No method forgot in any seed and kept its utility: the closest to retrain of those that kept it is "
        f"{_called(first)}, gap {gap_text(first)}{_beside(standing)}; {_attacked(first)}."
    )


def _beside(standing: Standing) -> str:
    original = next((one for one in standing.lines if one.method == "original"), None)
    return "" if original is None else f" (original: {short(original.gap)})"


def _none_kept(first: Line, standing: Standing) -> str:
    return (
        f"No method kept its utility, so that none is ranked: the closest to retrain is {_called(first)}, "
        f"gap {gap_text(first)}{_beside(standing)}, with {first.out}; {_attacked(first)}; "
        f"verdict: {_judged(first)}."
    )


def _forgot_nevertheless(first: Line, known: Sequence[Line]) -> str:
    """Say which line that forgot is the closest to retrain, where none kept its utility."""
    forgot = [one for one in known if one.verdict.startswith("forgot")]
    if not forgot:
        return "None forgot in most seeds."
    nearest = min(forgot, key=lambda one: one.gap)
    if nearest is first:
        return "It is the closest of those that forgot, too."
    closest = f"{_called(nearest)}, gap {gap_text(nearest)}"
    return f"The closest of those that forgot is {closest}, with {nearest.out}."


def _nearer(first: Line, known: Sequence[Line]) -> str:
    nearer = [f"{one.name} ({one.out})" for one in known if one.gap < first.gap]
    if not nearer:
        return (
            "It is not ranked, and so not told from the next: that takes a seed whose Df is not still known."
        )
    return f"Closer to retrain, but out of competition by lost points: {_listed(nearer)}."


def _cost(first: Line) -> str:
    """Say what a method costs: time, and utility on the test set."""
    seconds = "" if first.seconds is None else f" ({short(first.seconds.mean, 1)} s)"
    time = "an unknown time"
    if first.ratio is not None:
        time = f"{cost_text(first)} of retraining's time{seconds}".replace("× of", "times")
    test = first.measures.get("test")
    if test is None or test.difference is None:
        return f"It costs {time}."
    lost = round(100 * test.difference, 1)
    utility = f"{points_text(-test.difference)} points of test utility" if lost < 0 else "no test utility"
    return f"It costs {time} and {utility}."


def _attacked(line: Line) -> str:
    measure = line.measures.get(line.worst)
    if measure is None or measure.retrain is None:
        return "no attack was measured"
    values = f"{short(measure.mean)}, retrain's {short(measure.retrain)}"
    return f"on its worst path ({line.worst.partition('/')[2]}) the attack's AUC is {values}"


def _attacked_further(line: Line) -> Iterator[str]:
    """Say what an attacker with shadow models tells, where one was asked."""
    found = line.shadows
    if found is None:
        return
    ends = "" if found.low is None or found.high is None else f" [{short(found.low)}, {short(found.high)}]"
    deleted, unseen = f"{short(found.forget)}{ends}", short(found.test)
    yield (
        f"An attacker with {found.models} shadow models tells its models from retrained ones by deleted "
        f"pairs with AUC {deleted}, and by pairs that no model has seen with {unseen}."
    )


def _called(line: Line) -> str:
    """Name a method with where its settings were tuned, if that was elsewhere."""
    return line.name.replace("(tuned)", f"(tuned on {line.taken_from})") if line.taken_from else line.name


def _gap_of(line: Line) -> str:
    return f"{line.name} ({short(line.gap)})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
