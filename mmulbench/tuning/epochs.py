"""Find how many epochs of a method the budget of a trial allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from mmulbench.core.method import Method
from mmulbench.core.search_space import SearchDimension
from mmulbench.errors import Diverged, MmulbenchError, OverBudget
from mmulbench.records.study import EPOCHS


class Meter(Protocol):
    """Measures what a method costs.

    Attributes:
        limit: floating-point operations that a method may spend.
    """

    @property
    def limit(self) -> float:
        """Floating-point operations that a method may spend."""

    def cost(self, method: Method) -> float:
        """Return the floating-point operations that a method spends.

        Raises:
            Diverged: The method diverges.
            OverBudget: The method spends more than the limit.
        """


def with_settings(method: Method, settings: Mapping[str, object]) -> Method:
    """Return a method with other settings.

    Args:
        method: the configured method.
        settings: what is to be other, by name.
    """
    return type(method)(replace(method.config, **settings))


def most_epochs(method: Method, space: Mapping[str, SearchDimension], meter: Meter) -> int:
    """Return the most epochs of a method that are searched and within the limit; 0 where none are.

    The fewest that are searched are run, and one more: every further epoch costs as much as the second.

    Args:
        method: the method, with any number of epochs.
        space: its searched settings, epochs among them.
        meter: measures what the two runs cost.

    Raises:
        MmulbenchError: The method cannot run at all, as where a package is missing.
    """
    low, high = int(space[EPOCHS].search.low), int(space[EPOCHS].search.high)
    costs: list[float] = []
    for epochs in (low, low + 1):
        spent = cost_within(with_settings(method, {EPOCHS: epochs}), meter)
        if spent is None:
            return epochs - 1 if costs else 0
        costs.append(spent)
    first, second = costs
    if second <= first:  # it stops early, or fails before it has spent anything
        return high
    return min(high, low + math.floor((meter.limit - first) / (second - first)))


def cost_within(method: Method, meter: Meter) -> float | None:
    """Return what a method spends, None where that is more than the limit, and 0 where it fails.

    Args:
        method: the configured method.
        meter: measures what it costs.

    Raises:
        MmulbenchError: The method cannot run at all, as where a package is missing.
    """
    try:
        return meter.cost(method)
    except OverBudget:
        return None
    except Diverged:
        return 0.0
    except MmulbenchError:
        raise
    except Exception:  # its trial will say what fails
        return 0.0


def allowed_epochs(method: Method, space: Mapping[str, SearchDimension], meter: Meter) -> int:
    """Return the most epochs to draw: of a method's own settings, or of the lowest where those allow none.

    Args:
        method: the method as configured.
        space: its searched settings, epochs among them.
        meter: measures what the method costs.

    Returns:
        The number; 0 where no settings are within the limit.

    Raises:
        MmulbenchError: The method cannot run at all, as where a package is missing.
    """
    return most_epochs(method, space, meter) or most_epochs(lowest(method, space), space, meter)


def is_within(method: Method, space: Mapping[str, SearchDimension], meter: Meter) -> bool:
    """Return whether a run with a method's own settings, or with the lowest, is within the limit.

    Args:
        method: the method as configured, which has no epochs.
        space: its searched settings.
        meter: measures what the method costs.

    Raises:
        MmulbenchError: The method cannot run at all, as where a package is missing.
    """
    return any(cost_within(one, meter) is not None for one in (method, lowest(method, space)))


def lowest(method: Method, space: Mapping[str, SearchDimension]) -> Method:
    """Return a method with the lowest of all settings that are searched, which never cost more than higher.

    Args:
        method: the configured method.
        space: its searched settings.
    """
    lows = {name: int(one.search.low) if one.whole else one.search.low for name, one in space.items()}
    return with_settings(method, lows)
