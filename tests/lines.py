"""Where a line of a test stands in its file."""

import inspect
from collections.abc import Callable
from typing import Any


def line_of(function: Callable[..., Any], text: str) -> int:
    """The number of a function's first line that holds a text."""
    lines, first = inspect.getsourcelines(function)
    return first + next(index for index, line in enumerate(lines) if text in line)
