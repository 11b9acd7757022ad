"""Requests and calls written by hand, to be judged, and what an assertion says of them."""

from collections.abc import Callable
from typing import Any

import pytest

from playground import LabError, Run, Trace
from playground.trace import Handoff, Site
from tests.recordings import MS

OTHER = Site("shop.py", 20, "other", "await thing()")


def failure(check: Callable[..., None], run: Run | Trace, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(AssertionError) as failed:
        check(run, *args, **kwargs)
    return str(failed.value)


def refusal(check: Callable[..., None], run: object, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(LabError) as refused:
        check(run, *args, **kwargs)
    return str(refused.value)


def call(task: int | None, function: str, line: int, start_ms: int, end_ms: int | None) -> Handoff:
    outcome: Any = "pending" if end_ms is None else "returned"
    end_ns = None if end_ms is None else end_ms * MS
    site = Site("shop.py", line, function)
    return Handoff(task, function, 0, start_ms * MS, start_ms * MS, end_ns, end_ns, 0, 0, outcome, site)
