"""Lesson 9, blocking the loop: who waits when one handler blocks, and three ways to mend it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from playground.app import App
from playground.clock.work import work
from playground.course.exercise import Attempt, Exercise, Mistake, Rule
from playground.course.mistakes import blocking, forgotten_await, no_handler
from playground.course.programs import Program
from playground.course.rules import answers, gives, held_for, never_held, took_at_least
from playground.course.takes import a_function, a_number, an_app, texts
from playground.course.trials import outcome, try_burst, try_function
from playground.course.words import shown
from playground.views.evidence import answered_ns
from playground.views.wording import duration

__all__ = ["EXERCISES", "site"]

site = App()


@site.get("/report")
async def report() -> str:
    time.sleep(0.2)  # noqa: ASYNC251 (the mistake is the lesson)
    return "reported"


@site.get("/hello")
async def hello() -> str:
    await asyncio.sleep(0.02)
    return "hello"


# -- 09.1 -----------------------------------------------------------------------------------------------------


def _predict(answer_s: float) -> Attempt:
    tried = try_burst(site, lambda index: "/hello" if index == 3 else "/report", 4)
    request = tried.trace.requests[3] if tried.trace is not None else None
    took_ns = None if request is None else answered_ns(request)
    return Attempt((answer_s,), [tried], {"took_ns": took_ns, "said_ns": round(answer_s * 1e9)})


def _right_moment(attempt: Attempt) -> str | None:
    took_ns, said_ns = attempt.facts["took_ns"], attempt.facts["said_ns"]
    if abs(took_ns - said_ns) <= 1_000_000:  # a thousandth of a second is closer than anybody reckons
        return None
    return f"it was answered after {duration(took_ns)}, you said {duration(said_ns)}."


def _said(*moments_s: float) -> Callable[[Attempt], bool]:
    return lambda attempt: attempt.facts["said_ns"] in [round(moment_s * 1e9) for moment_s in moments_s]


def _told_if(is_so: Callable[[Attempt], bool], text: str) -> Callable[[Attempt], str | None]:
    return lambda attempt: text if is_so(attempt) else None


_PREDICTION: Final = Exercise(
    id="09.1",
    question="Three requests for `/report` and then one for `/hello` come at one moment: after how many seconds is "
    "`/hello` answered?",
    takes=(a_number("answer_s", "seconds"),),
    attempt=_predict,
    rules=(Rule("it is the moment at which `/hello` is answered", _right_moment, 2),),
    mistakes=(
        Mistake(
            "not-stalled",
            _told_if(
                _said(0.02),
                "That is what `/hello` takes by itself. `async def` gives it no loop of its own: it has its first turn "
                "when the three reports have given the one loop back.",
            ),
        ),
        Mistake(
            "reports-overlap",
            _told_if(
                _said(0.2, 0.22),
                "That would be so if the three reports waited side by side. `time.sleep` keeps the loop's one thread, "
                "so they come one after another.",
            ),
        ),
        Mistake(
            "own-time-left-out",
            _told_if(_said(0.6), "That is when `/hello` has its first turn. Then it still waits by itself, for 20 ms."),
        ),
    ),
    hints=(
        "Look at what each handler does while it waits: does it give the loop back?",
        "The reports come one after another. Add up who is before `/hello`, and then what it does itself.",
    ),
    program=Program(report, hello),
)


# -- 09.2 -----------------------------------------------------------------------------------------------------


def _ten(app: Any) -> Attempt:
    return Attempt((app,), [try_burst(app, lambda index: "/hello" if index else "/report", 10)])


def _work_is_gone(attempt: Attempt) -> str | None:
    if took_at_least("/report", 0.2)(attempt) is None or not attempt.trace.requests or forgotten_await.explain(attempt):
        return None
    return (
        "The loop is free because the report is not made any more. What takes 200 ms still has to be waited for, only "
        "somewhere else than on the loop's thread, or by `await`."
    )


_MEND: Final = Exercise(
    id="09.2",
    question="Mend the app: `/report` shall still take 200 ms, and nobody shall wait behind it.",
    takes=(an_app(),),
    attempt=_ten,
    rules=(
        Rule("every request is answered", answers()),
        Rule("the report still takes its 200 ms", took_at_least("/report", 0.2)),
        Rule("nobody holds the loop", never_held(0.01), 2),
    ),
    mistakes=(no_handler, blocking(0.01), forgotten_await, Mistake("work-is-gone", _work_is_gone)),
    hints=(
        "Which line kept the loop in the old `/report`? The diagnosis of `stalled` names it.",
        "A plain `def` handler is called in a worker thread, where it may block as it likes.",
        "Any of these does it: `def report()`; `await asyncio.to_thread(time.sleep, 0.2)`; `await asyncio.sleep(0.2)`.",
    ),
)


# -- 09.3 -----------------------------------------------------------------------------------------------------

_PARTS: Final = 40


def _crunch(crunch: Callable[..., Any]) -> Attempt:
    added: list[int] = []

    def add(total: int, part: int) -> int:
        added.append(part)
        work(0.01)
        return total + part

    async def main() -> Any:
        return await outcome(crunch, list(range(_PARTS)), add)

    return Attempt((crunch,), [try_function(main)], {"added": added})


def _adds_all(attempt: Attempt) -> str | None:
    if told := gives(sum(range(_PARTS)))(attempt):
        return told
    added = len(attempt.facts["added"])
    return None if added == _PARTS else f"expected {_PARTS} calls of `add`, got {added}."


def _sliced_too_late(attempt: Attempt) -> str | None:
    blocks = held_for(attempt, 0.05)
    if not blocks or not any(step.outcome in ("yields", "waits") and step.duration_ns for step in attempt.trace.steps):
        return None
    return (
        f"It does let others run, but not before it has computed for {duration(blocks[0].duration_ns)} at a stretch. "
        "Others have to wait for as long as the longest stretch between two `await`s that give up the turn."
    )


def _computes_in_a_row(attempt: Attempt) -> str | None:
    blocks = held_for(attempt, 0.05)
    if not blocks:
        return None
    return (
        f"It computes for {duration(blocks[0].duration_ns)} without giving up its turn. That it is `async def` does "
        "not help: only an `await` that gives up the turn lets the loop run others."
    )


_SLICES: Final = Exercise(
    id="09.3",
    question="Add up the parts, `total = add(total, part)` from 0 on, each 10 ms of computing; never keep the loop for "
    "50 ms or longer.",
    takes=(a_function("crunch", "async def crunch(parts, add)"),),
    attempt=_crunch,
    rules=(
        Rule("it adds all parts and returns the total", _adds_all),
        Rule("nobody holds the loop for 50 ms or longer", never_held(0.05), 2),
    ),
    mistakes=(
        forgotten_await,
        Mistake("slices-too-long", _sliced_too_late),
        Mistake("computes-in-a-row", _computes_in_a_row),
    ),
    hints=(
        "Who computes cannot be interrupted by the loop: it has to give up its turn itself, now and then.",
        "`await asyncio.sleep(0)` gives up the turn and comes back as soon as all others have had theirs.",
        "Put it into the loop over the parts; or hand the whole of it to a thread.",
    ),
)


# -- 09.4 -----------------------------------------------------------------------------------------------------

suspects = App()


@suspects.get("/a")
async def a() -> str:
    await asyncio.sleep(0.3)
    return "a"


@suspects.get("/b")
def b() -> str:
    time.sleep(0.3)
    return "b"


@suspects.get("/c")
async def c() -> str:
    work(0.3)
    return "c"


@suspects.get("/d")
async def d() -> str:
    await asyncio.to_thread(time.sleep, 0.3)
    return "d"


def _name(paths: list[str]) -> Attempt:
    tried = try_burst(suspects, lambda index: f"/{'abcd'[index]}", 4)
    trace = tried.trace
    blocks = trace.blocks(0.05) if trace is not None else []
    holds = {trace.request_of[block.task] for block in blocks if trace and block.task in trace.request_of}
    guilty = sorted(trace.requests[index].path for index in holds) if trace is not None else []
    return Attempt((paths,), [tried], {"guilty": guilty, "named": sorted(set(paths))})


def _right_names(attempt: Attempt) -> str | None:
    guilty, named = attempt.facts["guilty"], attempt.facts["named"]
    return None if named == guilty else f"{shown(guilty)} held it, you said {shown(named)}."


def _names(path: str, why: str) -> Mistake:
    def explain(attempt: Attempt) -> str | None:
        return why if path in attempt.facts["named"] and path not in attempt.facts["guilty"] else None

    return Mistake(f"named-{path}", explain)


_SUSPECTS: Final = Exercise(
    id="09.4",
    question="All four handlers take 300 ms. Which of them keep the loop from the others?",
    takes=(texts("paths", "paths"),),
    attempt=_name,
    rules=(Rule("these are the handlers that held the loop", _right_names, 2),),
    mistakes=(
        _names("/b", "`/b` is a plain `def`: it is called in a worker thread, and blocks only that."),
        _names("/a", "`/a` awaits its sleep: the loop sets a timer, and runs others until it is due."),
        _names("/d", "`/d` awaits a thread: what sleeps there is the thread, and the loop goes on."),
        Mistake(
            "computing-overlooked",
            _told_if(
                lambda attempt: "/c" not in attempt.facts["named"],
                "`/c` does not sleep, it computes, and on the loop's thread: for the others that comes to the same.",
            ),
        ),
    ),
    hints=(
        "Ask of each: on which thread does it spend its 300 ms, and does it `await` meanwhile?",
        (
            "Copy the four into a cell, with `app` for `suspects`, and look who holds the loop: "
            '`lab.burst(lambda index: "/" + "abcd"[index], n=4)`.'
        ),
    ),
    program=Program(a, b, c, d),
)

EXERCISES: Final = (_PREDICTION, _MEND, _SLICES, _SUSPECTS)
