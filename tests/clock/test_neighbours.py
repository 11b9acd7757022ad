"""Who lives in real time beside a virtual lab hears from it at once, and keeps real time."""

import asyncio
import logging

import pytest

from playground import App, Lab

app = App()


@app.get("/")
async def index() -> str:
    await asyncio.sleep(60)
    return "here"


def test_a_loop_that_awaits_a_lab_is_woken_when_the_answer_is_there(caplog: pytest.LogCaptureFixture) -> None:
    async def ask(lab: Lab) -> str:
        return (await lab.client.get("/", timeout=None)).text

    with Lab(app, clock="virtual") as lab, caplog.at_level(logging.ERROR):
        assert asyncio.run(ask(lab)) == "here"
    assert not caplog.records  # asyncio tells of a callback that failed, such as one that was to wake a loop
