"""A place in another's code is borrowed, and given back with the last that borrows it."""

from collections.abc import Callable
from contextlib import ExitStack
from types import SimpleNamespace

from playground.trace.seams import borrow, found


def give_back(borrowed: Callable[[], None] | None) -> None:
    assert borrowed is not None
    borrowed()


def test_a_place_is_given_back_with_the_last_that_borrows_it() -> None:
    holder = SimpleNamespace(app="real")
    first = borrow(holder, "app", lambda real: f"for {real}")
    second = borrow(holder, "app", lambda real: "never made")
    assert (holder.app, found(holder, "app")) == ("for real", "real")
    give_back(first)
    assert holder.app == "for real"
    give_back(second)
    assert (holder.app, found(holder, "app")) == ("real", "real")


def test_what_the_program_puts_in_a_borrowed_place_stays() -> None:
    holder = SimpleNamespace(app="real")
    borrowed = borrow(holder, "app", lambda real: "stand-in")
    holder.app = "new"
    assert found(holder, "app") == "new"
    again = borrow(holder, "app", lambda real: f"for {real}")
    assert holder.app == "for new"
    give_back(borrowed)
    give_back(again)
    assert holder.app == "new"
    borrowed = borrow(holder, "app", lambda real: "stand-in")
    holder.app = "newer"
    give_back(borrowed)
    assert holder.app == "newer"


def test_a_place_that_cannot_be_changed_is_not_borrowed() -> None:
    class Frozen:
        @property
        def app(self) -> str:
            return "real"

    assert borrow(Frozen(), "app", lambda real: "stand-in") is None


def test_places_are_given_back_whatever_the_order() -> None:
    holder = SimpleNamespace(app="real")
    with ExitStack() as one, ExitStack() as two:
        for stack in (one, two):
            stack.callback(give_back, borrow(holder, "app", lambda real: "stand-in"))
        two.close()
        assert holder.app == "stand-in"
        one.close()
        assert holder.app == "real"
