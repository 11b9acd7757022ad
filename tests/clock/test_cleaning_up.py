"""What a task of an app may still do when its lab is closed."""

import asyncio
import logging

import pytest

from playground import App, Lab


def test_a_task_may_take_a_while_to_write_what_it_holds_when_its_lab_is_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App()
    tasks: list[asyncio.Task[None]] = []
    written: list[bool] = []

    @app.get("/")
    async def begin() -> None:
        async def hold() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.9)
                written.append(True)

        tasks.append(asyncio.create_task(hold()))
        await asyncio.sleep(0)

    with caplog.at_level(logging.WARNING, "playground.lab"), Lab(app, clock="virtual") as lab:
        lab.get("/")
    assert written == [True]
    assert caplog.messages == []
