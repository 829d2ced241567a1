"""Read stored models, and say in one line what is wrong with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError
from mmulbench.files import reason_of


def first_fault(error: ValidationError) -> str:
    """Return the first of a model's faults, after its place: ``spec.seed: Field required``."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = str(first["msg"]).removeprefix("Value error, ")
    return f"{where}: {what}" if where else what


@contextlib.contextmanager
def reading(what: str, advice: str) -> Iterator[None]:
    """Turn what goes wrong in the body, which reads a stored model, into one line for the user.

    Args:
        what: What is read, with its path, such as ``"the study x.json"``.
        advice: What to do about a fault.

    Raises:
        MmulbenchError: The body raised `OSError` or `ValidationError`.
    """
    try:
        yield
    except OSError as error:
        raise MmulbenchError(f"cannot read {what}: {reason_of(error)}") from error
    except ValidationError as error:
        raise MmulbenchError(f"cannot read {what}: {first_fault(error)}; {advice}") from error
