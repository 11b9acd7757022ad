"""A loop that is not ours is recorded as truly as ours, where that can be, and left as it was found."""

import asyncio
import contextlib
import importlib.util
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.clock.foreign import LentTurns, watcher_of
from playground.clock.loop import LabLoop
from playground.clock.wrapped import WrappedCalls
from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder
from playground.trace.threads import watch_threads
from playground.watching import Session
from tests.trace.test_recording import (
    ACTIONS,
    Action,
    Program,
    check_the_loop_does_one_thing_at_a_time,
    check_waits_fill_the_gaps,
    task_named,
)
from tests.truth.compare import check
from tests.truth.interpreter import Interpreter
from tests.truth.program import PROGRAMS
from tests.truth.program import Program as TrueProgram
from tests.truth.witness import Witness

QUIET: Final = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


# -- truth ----------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def lent(loop: asyncio.AbstractEventLoop) -> Iterator[Recorder]:
    """Record a running stock loop from its next turn on, without the step that asks for it."""
    recorder = Recorder()
    watcher = LentTurns(loop)
    with watch_threads(loop, recorder):
        recorder.begin(loop)
        watcher.record(recorder)
        watcher._ready.popleft()  # what would tell of the step that asks
        watcher._begun = None
        watcher.step = 0
        try:
            yield recorder
        finally:
            recorder.close()
            watcher.stop_recording()


@settings(QUIET, max_examples=40)
@given(program=PROGRAMS)
def test_a_stock_loop_is_recorded_as_a_program_saw_itself(program: TrueProgram) -> None:
    loop = asyncio.SelectorEventLoop()
    loop.set_exception_handler(lambda *_: None)  # tasks that fail and that nobody awaits

    async def main() -> tuple[Recorder, Witness]:
        with lent(loop) as recorder:
            witness = Witness(loop, recorder.now)
            interpreter = Interpreter(witness)
            with witness.watching():
                await loop.create_task(interpreter.main(program), name="main")
        interpreter.close()
        return recorder, witness

    try:
        recorder, witness = loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    check(build(recorder), witness, recorder.started_ns, exact=False)
