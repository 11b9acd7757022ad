"""Apps that call all they can name by ten megabytes, and exceptions whose text cannot be had."""

import asyncio
import warnings
from typing import Any

import anyio.to_thread

from playground import App, Lab
from playground.run import Run
from playground.trace import Clock
from tests.widgets.hostile import NASTY

__all__ = ["AWKWARD", "HUGE", "huge_run"]

HUGE = NASTY * (10_000_000 // len(NASTY))


def huge_run(clock: Clock = "virtual") -> Run:
    """A run in which tasks, coroutines, calls, layers, errors, routes and losses are called by ten megabytes."""
    app = App()

    async def later() -> None:
        await asyncio.sleep(0.002)

    async def fails() -> None:
        raise RuntimeError(HUGE)

    def in_a_thread() -> None: ...

    async def forgotten() -> None: ...

    for function in (later, in_a_thread, forgotten):
        function.__qualname__ = function.__name__ = HUGE

    @app.get("/works")
    async def works() -> str:
        await anyio.to_thread.run_sync(in_a_thread)
        await asyncio.create_task(later(), name=HUGE)
        return "worked"

    @app.get("/raises")
    async def raises() -> None:
        raise RuntimeError(HUGE)

    @app.get("/loses")
    async def loses() -> str:
        task = asyncio.create_task(fails(), name=HUGE)
        await asyncio.sleep(0.001)
        del task
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            forgotten()  # type: ignore[unused-coroutine]
        return "lost"

    async def ask() -> None:
        for path in ("/works", "/raises", "/loses"):
            await asyncio.gather(lab.client.get(path), return_exceptions=True)

    with Lab(app, clock=clock) as lab:
        return lab.run(_quietly(ask))


def _quietly(ask: Any) -> Any:
    async def quiet() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        await ask()

    return quiet


class TextRaises(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class TextRecurses(Exception):
    def __str__(self) -> str:
        return str(self)


class TextIsNone(Exception):
    def __str__(self) -> Any:
        return None  # noqa: PLE0307 (that is the fault)


class TextIsOdd(Exception):
    class Odd(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise RuntimeError("no length")

        def __hash__(self) -> int:
            raise RuntimeError("no hash")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("equals nothing")

        def __format__(self, spec: str) -> str:
            raise RuntimeError("no format")

    def __str__(self) -> str:
        return self.Odd("odd")


class ReprRaises:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class NotesAreOdd(Exception):
    def __init__(self) -> None:
        super().__init__("noted")
        self.__notes__: Any = [1, None, NASTY]


AWKWARD: dict[str, Exception] = {
    "TextRaises (whose text cannot be had)": TextRaises(),
    "TextRecurses (whose text cannot be had)": TextRecurses(),
    "TextIsNone (whose text cannot be had)": TextIsNone(),
    "TextIsOdd: odd": TextIsOdd(),
    "ValueError (whose text cannot be had)": ValueError(ReprRaises()),
    "KeyError (whose text cannot be had)": KeyError(ReprRaises()),
    "NotesAreOdd: noted": NotesAreOdd(),
}
"""By what is said of each."""
