"""What is measured away from the kernel, in a child of its own: its result, or the reason why there is none.

A kernel has threads, widgets and a running loop, which would be part of every figure; and it must not be forked.
"""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple, cast

from playground.errors import ModelError
from playground.models.apart import Apart, run_apart

__all__ = ["NotTriedError", "away"]

Result = TypeVar("Result")
Given = TypeVarTuple("Given")


class NotTriedError(Exception):
    """A claim could not be tried; its text is the sentence that says why."""


def away(
    function: Callable[[*Given], Result],
    *given: *Given,
    timeout_s: float,
    meanwhile: Callable[[], object] | None = None,
) -> Result:
    """Call a function of a module of ours in a child process; `meanwhile`, if given, is called again and again.

    Raises:
        NotTriedError: it did not return: it raised, took longer than `timeout_s`, its process ended, or there are no
            processes here.
    """
    try:
        apart = run_apart(function, *given, timeout_s=timeout_s, meanwhile=meanwhile)
    except ModelError as error:
        raise NotTriedError(f"This cannot be tried here: {error}.") from error
    if apart.ending != "returned":
        raise NotTriedError(_why(apart, timeout_s))
    return cast(Result, apart.result)


def _why(apart: Apart, timeout_s: float) -> str:
    if apart.ending == "timed out":
        return f"What is measured in a child process was not done after {timeout_s:g} s."
    if apart.error is None:
        return f"The child process in which it is measured {apart.ending}."
    return f"What is measured in a child process {apart.ending}: {apart.error.type}: {apart.error.message}."
