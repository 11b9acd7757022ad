"""Plausible wrong answers to lesson 7's exercises."""

import time
from collections.abc import Callable
from typing import Any

from tests.course.answers import Wrong

Piece = Callable[[], int]


def one_round(greens: list[Any]) -> None:
    for green in greens:
        green.switch()


def each_to_its_end(greens: list[Any]) -> None:
    for green in greens:
        while not green.dead:
            green.switch()


def only_computes(number: int, piece: Piece) -> None:
    for _ in range(5):
        piece()


def gives_way_once(number: int, piece: Piece) -> None:
    time.sleep(0)
    for _ in range(5):
        piece()


WRONG = [
    Wrong(
        "07.1",
        "switch-is-later",
        lambda: (["first begins", "first goes on", "second begins", "main goes on"],),
        0,
        "`switch` is not put off until the function has ended: `first` is left at once, in the midst of its line, and "
        "goes on from there when somebody switches back to it.",
    ),
    Wrong(
        "07.1",
        "all-get-done",
        lambda: (["first begins", "second begins", "first goes on", "second goes on", "main goes on"],),
        0,
        "Nobody switches to `second` again. A green thread does not go on by itself: `first` ends, and then whoever "
        "made it goes on, which is `main`.",
    ),
    Wrong(
        "07.2",
        "one-round",
        lambda: (one_round,),
        1,
        "Each has had one turn. Who gives way is not over: it has stopped in the midst of its function, and waits "
        "until somebody switches to it again.",
    ),
    Wrong(
        "07.2",
        "to-the-end",
        lambda: (each_to_its_end,),
        2,
        "It switches to the same one until that is over, and only then to the next. Each of them gives way, and nobody "
        "else has anything of it.",
    ),
    Wrong(
        "07.3",
        "never-gives-way",
        lambda: (only_computes,),
        1,
        "Nothing in it waits, so nothing in it gives way: each job has the thread until it is over. No system takes it "
        "away from a green thread, as it would from a thread.",
    ),
    Wrong(
        "07.3",
        "gives-way-once",
        lambda: (gives_way_once,),
        2,
        "It gives way, but not after each piece: in between, all the others stand still for several pieces.",
    ),
]
