"""Programs that a prediction is about: shown as they are written, and run as they are shown.

So there is one text of each. It knows nothing of exercises.
"""

import html
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, Final

__all__ = ["Program"]

_TO_A_LINTER: Final = re.compile(r"  # noqa\b.*")
"""Of a mistake that is made on purpose, and told so: a student is to find it."""


class Program:
    """Some functions of the course's own, as a notebook shows them.

    Args:
        *parts: functions, in the order in which they are read; the last is what calling the program calls.
    """

    def __init__(self, *parts: Callable[..., Any]) -> None:
        self._parts = parts

    def __call__(self, *args: Any) -> Any:
        """Call its last function."""
        return self._parts[-1](*args)

    @property
    def source(self) -> str:
        """The text of all of them, without what is said to a linter."""
        texts = (textwrap.dedent(inspect.getsource(part)).rstrip() for part in self._parts)
        return _TO_A_LINTER.sub("", "\n\n".join(texts))

    def __str__(self) -> str:
        return self.source

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.source, "text/html": f"<pre><code>{html.escape(self.source)}</code></pre>"}
