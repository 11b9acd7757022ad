"""Two accounts of one program: the recording of the loop that ran it, and what its witness saw."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from playground.trace import Trace
from playground.trace.build import build
from playground.trace.recorder import Recorder
from tests.truth.interpreter import Interpreter
from tests.truth.program import Program
from tests.truth.witness import Witness

__all__ = ["account"]


def account(
    loop: asyncio.AbstractEventLoop,
    recorded: Callable[[Any], AbstractContextManager[Recorder]],
    program: Program,
    *,
    eager: bool = False,
) -> tuple[Trace, Witness, int]:
    """Run a program on a loop, which is closed: its recording, its witness, and the recorder's clock at the beginning.

    Args:
        recorded: makes the block in which the loop is recorded.
        eager: whether tasks start eagerly.
    """
    loop.set_exception_handler(lambda *_: None)  # tasks that fail and that nobody awaits

    async def main() -> tuple[Recorder, Witness]:
        with recorded(loop) as recorder:
            witness = Witness(loop, recorder.now)
            interpreter = Interpreter(witness, eager=eager)
            with witness.watching():
                await loop.create_task(interpreter.main(program), name="main")
        interpreter.close()
        return recorder, witness

    try:
        recorder, witness = loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    return build(recorder), witness, recorder.started_ns
