"""Making many objects: the collector rests meanwhile, and then does what it did."""

from __future__ import annotations

import contextlib
import gc

from mmulbench.many_objects import uncollected


def test_the_collector_rests_inside_and_goes_on_after():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error():
    with contextlib.suppress(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()


def test_one_that_rested_goes_on_resting():
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
