"""Write what ``mmulbench report`` makes: the audit of a run, or the site of all results."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmulbench.cli.leaderboard_output import report_left_out
from mmulbench.errors import MmulbenchError, UsageError
from mmulbench.plain_text import visible
from mmulbench.progress import make_progress

if TYPE_CHECKING:
    from mmulbench.audit.contents import Sources
    from mmulbench.site.build import Finder


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Holds what the options of the command say.

    Attributes:
        record: which record; None for all, as a site.
        results: the results folder.
        output: folder of the pages.
        data_dir: folder of official data, for examples.
        cache_dir: folder of the cache, for examples.
        forget: list of what the run forgot.
        forget_where: conditions that say it.
        examples: whether some of what was forgotten is shown; None for what is usual.
        show_ids: whether ids on the list are named.
        replace: whether earlier pages may be replaced.
        check: whether to compare a site with the records instead.
        as_json: whether to print JSON.
        debug: whether to show tracebacks.
    """

    record: str | None
    results: Path
    output: Path
    data_dir: Path
    cache_dir: Path
    forget: str | None
    forget_where: tuple[str, ...]
    examples: bool | None
    show_ids: bool
    replace: bool
    check: bool
    as_json: bool
    debug: bool

    def refuse_mixed(self) -> None:
        """Refuse options that say nothing together.

        Raises:
            UsageError: There are such.
        """
        is_named = bool(self.forget or self.forget_where)
        if self.record is None and (is_named or self.show_ids):
            option = "--show-ids" if self.show_ids else "--forget" if self.forget else "--forget-where"
            raise UsageError(f"{option} is of one run: name its record, or leave it out")
        if self.record is not None and self.check:
            raise UsageError("--check compares the site of all results: leave out the record")
        if self.check and self.replace:
            raise UsageError("--check writes nothing: leave out --replace")
        if self.examples is False and is_named:
            raise UsageError(
                "--no-examples: what was forgotten is named for examples alone: leave out one of both"
            )


def report_run(choices: Choices, record: str) -> None:
    """Write the audit of a run.

    Args:
        choices: what the options say.
        record: which record.

    Raises:
        UsageError: There is no such record, or the folder holds something else.
        MmulbenchError: It does not hold together, or the page cannot be written.
    """
    from mmulbench.audit.folder import refuse_filled, write_report
    from mmulbench.audit.gather import Choices as Shown
    from mmulbench.audit.gather import gather_audit
    from mmulbench.audit.page import page_of
    from mmulbench.records.lookup import find_record

    refuse_filled(choices.output, replace=choices.replace)
    file = find_record(record, choices.results)
    sources = None if choices.examples is False else _sources(choices)
    audit = gather_audit(file, Shown(choices.show_ids, sources))
    written = write_report(choices.output, page_of(audit))
    if choices.as_json:
        print(json.dumps({"path": str(written), **audit.as_json()}, indent=2))
        return
    print(visible(str(written)))


def report_site(choices: Choices) -> None:
    """Write the site of all results, or compare it with what is written.

    Args:
        choices: what the options say.

    Raises:
        UsageError: The folder holds something else, or a package is missing.
        MmulbenchError: The site differs from the records, or cannot be written.
    """
    from mmulbench.site.build import pages_of
    from mmulbench.site.folder import differing, refuse_others, write_site
    from mmulbench.site.gather import gather_site

    if not choices.check:
        refuse_others(choices.output, replace=choices.replace)
    with make_progress(bars=not choices.as_json, debug=choices.debug) as progress:
        site = gather_site(choices.results, progress.track)
        pages = pages_of(site, progress.track, _finder(choices) if choices.examples else None)
        if choices.check:
            _demand_same(differing(choices.output, pages), choices)
            written = choices.output
        else:
            written = write_site(choices.output, pages)
    facts = {
        "path": str(written),
        "tables": len(site.tables),
        "runs": len(site.runs),
        "left_out": [{"path": str(one.path), "reason": one.reason} for one in site.left_out],
    }
    if choices.as_json:
        print(json.dumps(facts, indent=2))
    elif choices.check:
        print(visible(f"{written} matches the records in {choices.results}"))
    else:
        print(visible(str(written)))
    report_left_out(site.left_out)


def _demand_same(found: list[str], choices: Choices) -> None:
    """Refuse a site that differs from the records.

    Raises:
        MmulbenchError: It does.
    """
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        place = shlex.join(["--results-dir", str(choices.results), "--output", str(choices.output)])
        examples = " --examples" if choices.examples else ""
        raise MmulbenchError(
            f"{choices.output} differs from the records in {choices.results}: {found[0]}{more}: "
            f"run mmulbench report {place}{examples} --replace"
        )


def _finder(choices: Choices) -> Finder:
    """Return what finds the examples of a record."""
    from mmulbench.audit.contents import find_examples

    sources = _sources(choices)
    return lambda result, path: find_examples(result, path, sources)


def _sources(choices: Choices) -> Sources:
    """Say where the data of the examples are."""
    from mmulbench.audit.contents import Sources
    from mmulbench.runs.forget_list import parse_request

    return Sources(
        choices.data_dir,
        choices.cache_dir,
        parse_request(choices.forget, choices.forget_where, None),
        make_progress(bars=not choices.as_json, debug=choices.debug),
    )
