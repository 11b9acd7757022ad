"""How a property is declared, so that the suite can try it a little and `python -m tests.fuzz` a lot.

It decides nothing about what is drawn or checked. A property is a plain function of what is drawn; it fails by
raising, and it must leave nothing behind, for it may be called a million times in one process.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from hypothesis import given, seed, settings
from hypothesis import strategies as st

__all__ = ["PROPERTIES", "Check", "Property", "attempt", "fuzzed", "outcome"]

Check = Callable[..., None]


Around = Callable[[], AbstractContextManager[Any]]


class Property(NamedTuple):
    """A check, and what it is checked on.

    Attributes:
        room: the module that declared it, without its package and `test_`.
        check: the plain function.
        strategies: what each of its arguments is drawn from.
        around: what is opened for all examples together, such as a server, and given to the check before what is
            drawn; `None` for nothing.
    """

    room: str
    check: Check
    strategies: tuple[st.SearchStrategy[Any], ...]
    around: Around | None

    def run(self, rules: settings, number: int | None = None, counted: Callable[[], None] | None = None) -> None:
        """Try it, by these rules, from the seed `number` if there is one; call `counted` for each example."""
        with nullcontext() if self.around is None else self.around() as opened:
            first = () if self.around is None else (opened,)

            def once(drawn: tuple[Any, ...]) -> None:
                if counted is not None:
                    counted()
                self.check(*first, *drawn)

            tried = rules(given(st.tuples(*self.strategies))(once))
            (tried if number is None else seed(number)(tried))()


PROPERTIES: list[Property] = []
"""All that were declared by the modules imported so far, in the order of declaration."""


def fuzzed(
    *strategies: st.SearchStrategy[Any], examples: int = 60, around: Around | None = None
) -> Callable[[Check], Check]:
    """Declare a property; in the suite it is tried `examples` times."""

    def declare(check: Check) -> Check:
        declared = Property(check.__module__.rpartition(".test_")[2], check, strategies, around)
        PROPERTIES.append(declared)

        def tried() -> None:
            declared.run(settings(max_examples=examples))

        tried.__name__, tried.__doc__ = check.__name__, check.__doc__
        return tried

    return declare


def attempt(make: Callable[[], Any], *refusals: type[Exception]) -> tuple[Any, str]:
    """What a call returns, and no words; or nothing, and the words in which it refuses, by one of these errors."""
    try:
        return make(), ""
    except refusals as error:
        return None, str(error)


def outcome(make: Callable[[], Any]) -> Any:
    """What a call returns; or the built-in kind of the error that it raises, for ours are subclasses of those."""
    try:
        return make()
    except Exception as error:  # noqa: BLE001  it is the outcome
        return next(cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "builtins")
