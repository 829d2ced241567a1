"""Find the library that draws in the browser: D3, as the package mpld3 ships it."""

from __future__ import annotations

from mmulbench.errors import UsageError
from mmulbench.packages import package_folder

PACKAGE = "mpld3"
"""Holds a small build of D3 (BSD licence) as a file; nothing of the package itself is imported."""

FILE = "js/d3.v5.min.js"

PURPOSE = "a site of results, which draws with D3,"


def drawing_library() -> str:
    """Return the script of the library.

    Raises:
        UsageError: The package is not installed, or is another than it was; the message says what to run.
    """
    path = package_folder(PACKAGE, PURPOSE, "site") / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f'{PURPOSE} finds no {path}: run pip install "mmulbench[site]"') from error
    return text.replace("\r\n", "\n").replace("</script", "<\\/script")
