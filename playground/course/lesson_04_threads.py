"""Lesson 4's exercise on threads, which may change between any two instructions."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from playground.asgi import Receive, Scope, Send
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import blocking, made_outside
from playground.course.rules import broke
from playground.course.seeds import SEEDS, first_broken
from playground.course.takes import a_plain_function
from playground.course.trials import Tried, try_app, try_each
from playground.course.words import shown
from playground.errors import CourseError
from playground.lab import Lab
from playground.run import Run
from playground.trace import Trace
from playground.views.wording import counted, duration

__all__ = ["COUNTER"]

# -- 04.2 -----------------------------------------------------------------------------------------------------

_VISITS: Final = 6


class _Late:
    """An app that is made within the lab, so that locks that its making makes are those of virtual time."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError  # no lifespan
        if self._app is None:
            self._app = self._make()
            if not callable(self._app):
                raise CourseError(
                    f"expected `make_app()` to return an app, got {shown(self._app)}: has it a `return app`?"
                )
        await self._app(scope, receive, send)


def _visit(make_app: Callable[[], Any]) -> Attempt:
    counts: list[Any] = []

    def act(lab: Lab) -> Run:
        run = lab.burst("/visit", _VISITS)
        counts.append(_number(lab.get("/count").content))
        return run

    tries = try_each(partial(try_app, _Late(make_app), act, schedule="random", seed=seed) for seed in SEEDS)
    wrong = [number for number, count in enumerate(counts) if count != _VISITS]
    return Attempt((make_app,), tries, {"counts": counts}, first_broken(tries) or (wrong[0] if wrong else 0))


def _number(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _answered(attempt: Attempt) -> str | None:
    if told := broke(attempt):
        return told
    for tried in attempt.tries:
        wrong = [each for each in tried.responses if each.status_code != 200]
        if wrong:
            error = next((request.error for request in _trace(tried).requests if request.error), None)
            return f"expected 200 for `/visit`, got {wrong[0].status_code}{f', {shown(error)}' if error else ''}."
    counts = attempt.facts["counts"]
    odd = [count for count in counts if type(count) is not int]
    return f"expected `/count` to answer a number, got {shown(odd[0])}." if odd else None


def _trace(tried: Tried) -> Trace:
    return tried.trace or Trace()


def _none_lost(attempt: Attempt) -> str | None:
    wrong = [count for count in attempt.facts["counts"] if count != _VISITS]
    if not wrong:
        return None
    times = counted(len(wrong), "time")
    return f"{_VISITS} visits were counted as {wrong[0]}, and wrongly {times} in {len(attempt.tries)}."


def _slow_part_overlaps(attempt: Attempt) -> str | None:
    trace = attempt.trace
    if len(trace.handoffs) < _VISITS:
        return f"expected {_VISITS} visits in worker threads, got {len(trace.handoffs)}: keep `visit` a plain `def`."
    took_ns = max(request.end_ns or trace.duration_ns for request in trace.requests)
    if took_ns < 200_000_000:
        return None
    return f"expected the visits to sleep their 100 ms side by side, got {duration(took_ns)} for {_VISITS} of them."


def _lost(attempt: Attempt) -> str | None:
    if broke(attempt) or not any(type(count) is int and count < _VISITS for count in attempt.facts["counts"]):
        return None
    return (
        "A lost update: two threads read the same count, each adds one to it, and the second writes over what the "
        "first wrote. `count += 1` reads, adds and writes, and a thread may lose its turn in between."
    )


def _locked_sleep(attempt: Attempt) -> str | None:
    if broke(attempt) or _none_lost(attempt) or _slow_part_overlaps(attempt) is None or not attempt.trace.handoffs:
        return None
    return (
        "The lock is held for the whole visit, the 100 ms that it sleeps too, so a visit waits for all before it. Hold "
        "it for the line that counts, and for nothing else."
    )


COUNTER: Final = Exercise(
    id="04.2",
    question="`make_app()` returns an app: `/visit`, a plain `def`, sleeps 100 ms and counts; `/count` answers the "
    "number. Lose no visit, and let visits sleep side by side.",
    takes=(a_plain_function("make_app", "def make_app()"),),
    attempt=_visit,
    rules=(
        Rule("both paths answer", _answered),
        Rule("no visit is lost, whichever thread runs first", _none_lost, 2),
        Rule("the visits sleep side by side", _slow_part_overlaps),
    ),
    mistakes=(
        made_outside,
        Mistake("lost-update", _lost),
        Mistake("lock-held-too-long", _locked_sleep),
        blocking(0.05),
    ),
    hints=(
        "A plain `def` handler runs in a worker thread, and threads may change between any two instructions.",
        "`threading.Lock()`, made once in `make_app`; `with lock:` around what reads and writes the count.",
    ),
)
