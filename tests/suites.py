"""Suites that use the pytest plugin, each run in a process of its own, by the entry point."""

import textwrap

import pytest

APP = """
import asyncio
import threading
import time

import pytest

from playground import App

app = App()


@app.get("/ok")
async def ok():
    return "ok"


@app.get("/blocks")
async def blocks():
    time.sleep(0.06)
    return "blocked"


@app.get("/report")
def report():
    return "done"
"""
SECTION = "playground: what the loop did"


def run(pytester: pytest.Pytester, tests: str, *options: str, app: str = APP) -> pytest.RunResult:
    """What a suite with these tests comes to, warnings being errors and markers strict."""
    pytester.makepyfile(app + textwrap.dedent(tests))
    settings = ("-W", "error", "--strict-markers", "-p", "no:cacheprovider")
    return pytester.runpytest_subprocess(*settings, *options, timeout=120)
