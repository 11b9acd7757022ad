"""Functions that are to be called later, and what is given by mistake in their place: what calling them has made."""

import inspect

from playground.errors import PlaygroundError

__all__ = ["check_not_called"]


def check_not_called(function: object, error: type[PlaygroundError], expected: str, call: str) -> None:
    """Refuse what is no function, such as the coroutine that calling it has made.

    Args:
        error: what is raised.
        expected: what the function is for, in words.
        call: the name of what it was given to, as its user writes it.
    """
    if callable(function):
        return
    if inspect.iscoroutine(function):
        function.close()  # or Python would warn that it was never awaited
    raise error(
        f"expected {expected}, got {type(function).__name__}: "
        f"pass the function itself, as in {call}(main) and not {call}(main())"
    )
