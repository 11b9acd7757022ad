"""What a check is given: is it there, and is it of the kind that was asked for?

A hole that was left open, a coroutine in the place of its function, an app in the place of a number: each is told in
its own words before anything is run. It never calls what it looks at.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.course.words import shown

__all__ = ["Take", "a_function", "a_number", "a_plain_function", "an_app", "an_async_function", "texts", "whole_number"]


@dataclass(frozen=True)
class Take:
    """One thing that an exercise takes.

    Attributes:
        name: what the notebook calls it.
        wants: what it is, in words.
        fits: whether a value is of that kind; it is not asked of holes and coroutines.
        advice: what to do if it is not.
    """

    name: str
    wants: str
    fits: Callable[[Any], bool]
    advice: str

    def missing(self, value: Any) -> str | None:
        """What is missing, in words; `None` if nothing is."""
        if value is None:
            return f"`{self.name}` is None: nothing was assigned to it yet, or the cell that does was not run."
        if value is ...:
            return f"`{self.name}` is still `...`: the hole that you are to fill with {self.wants}."
        if inspect.iscoroutine(value):
            value.close()  # or Python would warn that it was never awaited
            return (
                f"expected {self.wants}, got the coroutine that calling it has made: pass the function itself, "
                f"`{value.__name__}` and not `{value.__name__}()`."
            )
        if not self.fits(value):
            return f"expected {self.wants}, got {shown(value)}: {self.advice}"
        return None


def an_app(name: str = "app") -> Take:
    """An ASGI or WSGI app."""
    return Take(name, "an app", _is_app, "pass the app itself, such as `app = App()` with its routes.")


def a_function(name: str, sketch: str) -> Take:
    """A function of either kind; `sketch` is how it begins."""
    return Take(name, f"a function, `{sketch}`", callable, "pass the function itself, by its name.")


def a_plain_function(name: str, sketch: str) -> Take:
    """A function that is not async."""
    advice = "write it with `def`, and pass the function itself."
    return Take(name, f"a plain function, `{sketch}`", _is_plain, advice)


def an_async_function(name: str, sketch: str) -> Take:
    """An async function, by its own `async def`."""
    advice = "write it with `async def`, and pass the function itself."
    return Take(name, f"an async function, `{sketch}`", inspect.iscoroutinefunction, advice)


def a_number(name: str, unit: str) -> Take:
    """A number, 0 or more."""
    return Take(name, f"a number of {unit}", _is_number, "give a plain number, such as 0.5, without its unit.")


def whole_number(name: str, of: str) -> Take:
    """A whole number, 1 or more."""
    return Take(name, f"a whole number of {of}", _is_count, "give one that is 1 or more, such as 4.")


def texts(name: str, of: str) -> Take:
    """A list of strings."""
    return Take(name, f"a list of {of}", _are_texts, 'give strings, in a list: ["a", "b"].')


def _is_app(value: Any) -> bool:
    """Whether it takes what ASGI, or WSGI, calls an app with: a handler does not, and a hint would be lost on it."""
    return callable(value) and (_takes(value, 3) or _takes(value, 2))


def _takes(value: Callable[..., Any], count: int) -> bool:
    try:
        signature = inspect.signature(value)
    except Exception:  # noqa: BLE001 (written in C, or code of its own ran and raised: then trying it will tell)
        return True
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _is_plain(value: Any) -> bool:
    return callable(value) and not inspect.iscoroutinefunction(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 1


def _are_texts(value: Any) -> bool:
    return type(value) in (list, tuple) and all(type(each) is str for each in value)
