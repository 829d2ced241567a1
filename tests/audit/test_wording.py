from __future__ import annotations

from datetime import datetime, timedelta, timezone

from mmulbench.audit.wording import counted, interval, moment, seconds, share


def test_numbers_have_a_proper_minus_and_a_dash_where_there_is_none():
    assert [share(0.78956), share(-1.5, 1), share(None)] == ["0.790", "−1.5", "–"]
    assert interval(0.1, None) == "–"
    assert interval(0.1, 0.2) == "0.100 to 0.200"


def test_durations_have_the_unit_that_is_read_best():
    assert [seconds(8.59), seconds(89), seconds(90), seconds(7300)] == [
        "8.6 seconds",
        "89.0 seconds",
        "1.5 minutes",
        "2.0 hours",
    ]


def test_times_are_in_utc_whatever_the_zone():
    east = timezone(timedelta(hours=5))
    assert moment(datetime(2026, 3, 1, 2, 5, tzinfo=east)) == "28 February 2026, 21:05 UTC"


def test_one_is_no_plural():
    assert [counted(1, "pair"), counted(0, "pair"), counted(1200, "pair")] == [
        "1 pair",
        "0 pairs",
        "1,200 pairs",
    ]
