"""Loops that are not ours: the standard library's, that one patched by another tool, and uvloop's."""

import asyncio
from typing import Final

import pytest


def new_loop(kind: str) -> asyncio.AbstractEventLoop:
    if kind == "uvloop":
        loop: asyncio.AbstractEventLoop = pytest.importorskip("uvloop").new_event_loop()
        return loop
    loop = asyncio.SelectorEventLoop()
    if kind == "patched":  # by another tool, which is why its calls are wrapped
        loop.call_soon = loop.call_soon  # type: ignore[method-assign]
    return loop


KINDS: Final = ("stock", "patched", "uvloop")
