"""How a check names what somebody's code gave or raised. It never trusts a value of theirs to show itself."""

import reprlib
from typing import Any, Final

from playground.views.wording import code_text

__all__ = ["named_error", "seconds", "shown"]

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = 8


def shown(value: Any) -> str:
    """A value as code, in short: `[1, 2, 3]`; its type's name if it cannot be shown."""
    try:
        text = _SHORT.repr(value)
    except Exception:  # noqa: BLE001 (a `__repr__` of the student's may raise whatever it likes)
        text = f"<{type(value).__name__}>"
    return code_text(text)


def named_error(error: BaseException) -> str:
    """Type and text of an exception, as code."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 (so may its `__str__`)
        text = ""
    name = type(error).__name__
    return code_text(f"{name}: {text}" if text else name)


def seconds(value: float) -> str:
    """A moment or duration in virtual seconds: `0.6 s`."""
    return f"{round(value, 6):g} s"
