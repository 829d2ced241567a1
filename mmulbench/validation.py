"""What is wrong with a stored model, in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from mmulbench.errors import MmulbenchError
from mmulbench.files import reason_of


def first_fault(error: ValidationError) -> tuple[str, str]:
    """The first of a model's faults: its place, such as ``spec.seed``, and what is wrong there.

    The place is empty where the whole is at fault, as with invalid JSON.
    """
    first = error.errors(include_url=False)[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


@contextlib.contextmanager
def reading(what: str, describe: Callable[[str, str], str]) -> Iterator[None]:
    """Turn what goes wrong in the body, which reads a stored model, into one line for the user.

    Args:
        what: What is read, with its path, such as ``"the study x.json"``.
        describe: Says from a `first_fault` what is wrong, and what to do about it.

    Raises:
        MmulbenchError: The body raised `OSError` or `ValidationError`.
    """
    try:
        yield
    except OSError as error:
        raise MmulbenchError(f"cannot read {what}: {reason_of(error)}") from error
    except ValidationError as error:
        raise MmulbenchError(f"cannot read {what}: {describe(*first_fault(error))}") from error
