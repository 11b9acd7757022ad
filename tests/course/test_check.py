"""A check answers whatever it is given: it never raises, says what is missing, and gives one hint more each time."""

import asyncio
import base64
import re
import sys
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from playground import App
from playground.course import check, exercise, exercises, experiments, program, restart, trials
from playground.course.exercise import Attempt
from playground.course.mistakes import made_outside
from playground.course.words import shown
from playground.errors import CourseError, NotInVirtualTime
from tests.course.fetching import Fetch, all_at_once, one_by_one

IDS = [each.id for each in exercises()]


# -- what is missing ------------------------------------------------------------------------------------------


def test_an_answer_that_is_not_there_yet_is_told_so_and_costs_no_hint() -> None:
    wanted = "a function, `async def fetch_all(fetch, names)`"
    told = {
        None: "`fetch_all` is None: nothing was assigned to it yet, or the cell that does was not run.",
        ...: f"`fetch_all` is still `...`: the hole that you are to fill with {wanted}.",
        3: f"expected {wanted}, got `3`: pass the function itself, by its name.",
    }
    for given, missing in told.items():
        checked = check("08.2", given)
        assert checked.missing == missing
        assert (checked.points, checked.of, checked.passed, checked.hint) == (0, 3, False, None)
    assert check("08.2", one_by_one).hint_number == 1


def test_a_coroutine_in_its_functions_place_is_told_so_and_closed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked = check("08.2", one_by_one(lambda name: None, []))
    assert checked.missing == (
        "expected a function, `async def fetch_all(fetch, names)`, got the coroutine that calling it has made: pass "
        "the function itself, `one_by_one` and not `one_by_one()`."
    )


def test_a_handler_in_an_apps_place_is_told_so_and_costs_no_hint() -> None:
    def handler(name: str) -> str:
        return name

    advice = "pass the app itself, such as `app = App()` with its routes."
    assert check("09.2", handler).missing == f"expected an app, got {shown(handler)}: {advice}"
    assert check("09.2", App()).missing == ""


def test_too_few_answers_are_counted() -> None:
    assert check("12.1", 0.3).missing == (
        'expected a number of seconds and a number of seconds, got 1 of 2: write check("12.1", wsgi_s, asgi_s).'
    )
    assert check("08.1").missing == 'expected a list of the lines, in order, got 0 of 1: write check("08.1", order).'


def test_an_unknown_exercise_is_answered_with_those_that_there_are() -> None:
    for unknown in ("99.9", 8.1, None):
        checked = check(unknown, 3)  # type: ignore[arg-type]
        assert not checked.passed
        assert checked.missing == f"the id of an exercise: there are {', '.join(IDS)}."
    assert str(check("99.9")).startswith("There is no exercise `'99.9'`.\nMissing: the id of an exercise: there are ")


def test_numbers_and_texts_of_other_kinds_are_told_so() -> None:
    assert check("09.1", "0.62 s").missing == (
        "expected a number of seconds, got `'0.62 s'`: give a plain number, such as 0.5, without its unit."
    )
    for odd in (True, float("nan"), -1, [0.62]):
        assert check("09.1", odd).missing
    assert check("05.2", 20.0).missing == (
        "expected a whole number of threads, got `20.0`: give one that is 1 or more, such as 4."
    )
    assert (
        check("09.4", "/c").missing == """expected a list of paths, got `'/c'`: give strings, in a list: ["a", "b"]."""
    )
    assert check("10.2", App()).missing.startswith(
        "expected an async function, `async def app(scope, receive, send)`, got `<playground.app.App object at "
    )


# -- whatever it is given -------------------------------------------------------------------------------------


class Hostile:
    """It shows itself, compares and is called in ways that raise."""

    def __call__(self, *args: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    def __repr__(self) -> str:
        raise ZeroDivisionError("on purpose")

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError("on purpose")

    def __hash__(self) -> int:
        return 0


async def gives_a_hostile_object(*args: Any) -> Any:
    return Hostile()


async def takes_nothing() -> None: ...


def leaves(*args: Any) -> Any:
    sys.exit("bye")


async def waits_for_ever(*args: Any) -> None:
    await asyncio.Event().wait()


async def calls_itself(*args: Any) -> Any:
    return await calls_itself(*args)


JUNK = [
    *(Hostile(), Hostile, gives_a_hostile_object, takes_nothing, leaves, waits_for_ever, calls_itself, App(), object()),
    *(len, print, "app", b"app", [], {}, [1], 1e300, float("nan"), True, lambda *args: None, lambda *args: Hostile()),
]


@pytest.mark.slow
@pytest.mark.parametrize("exercise_id", IDS)
def test_no_answer_makes_a_check_raise_or_pass(exercise_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "LIMIT_S", 2.0)  # some of these wait for ever, and so for as long as they may
    takes = len(exercise(exercise_id).takes)
    for junk in JUNK:
        checked = check(exercise_id, *[junk] * takes)
        assert not checked.passed
        assert checked.points < checked.of
        assert checked.missing or any(each.finding for each in checked.judged)
        assert str(checked)
        assert checked._repr_mimebundle_()


def test_code_that_raises_is_told_with_its_line() -> None:
    async def broken(fetch: Fetch, names: list[str]) -> None:
        raise ValueError(f"no {names[0]}")

    finding = check("08.2", broken).judged[0].finding
    assert re.sub(r"\(.*, line \d+\)", "(a line)", finding) == "it raised `ValueError: no ant` (a line)."


def test_a_hole_that_nbgrader_leaves_is_told_as_such() -> None:
    async def released(fetch: Fetch, names: list[str]) -> None:
        raise NotImplementedError

    finding = check("08.2", released).judged[0].finding
    assert (
        re.sub(r"\(.*, line \d+\)", "(a line)", finding)
        == "the hole is still open: it raised `NotImplementedError` (a line)."
    )


@pytest.mark.parametrize(("exercise_id", "takes"), [("04.3", 4), ("11.1", 2)])
def test_an_open_hole_is_not_laid_to_a_mistake_that_nobody_made(exercise_id: str, takes: int) -> None:
    async def of_two(first: Any, second: Any) -> None: ...

    async def of_four(first: Any, second: Any, third: Any, fourth: Any) -> None: ...

    checked = check(exercise_id, of_two if takes == 2 else of_four)
    assert not checked.passed
    assert (checked.mistake, checked.why) == ("", "")


def test_code_that_leaves_or_waits_for_ever_is_told_so() -> None:
    left = check("08.2", leaves).judged[0].finding
    assert re.sub(r"\(.*, line \d+\)", "(a line)", left) == (
        "it called `sys.exit` (a line), which ends a program, and would end this kernel."
    )
    stuck = check("08.2", waits_for_ever).judged[0].finding
    assert stuck.startswith("expected somebody to go on, but nothing can run and no timer is set")
    assert "waits_for_ever" in stuck


async def spins(*args: Any) -> None:
    while True:
        pass


@pytest.mark.parametrize("exercise_id", ["08.2", "04.1", "10.2", "11.1"])
def test_code_that_never_ends_is_broken_off_once(exercise_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "LIMIT_S", 0.2)
    checked = check(exercise_id, spins)
    assert checked.judged[0].finding == "it goes round without end: it was broken off while it still ran."
    assert checked.attempt is not None
    assert len(checked.attempt.tries) == 1
    assert [each.name for each in threading.enumerate() if each.name.startswith("playground lab")] == []


@pytest.mark.slow
@pytest.mark.parametrize("exercise_id", ["09.2", "12.2"])
def test_an_app_that_never_ends_leaves_no_thread_behind(exercise_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "LIMIT_S", 0.2)
    app = App()
    app.get("/{path:path}", name="spins")(spins_for_a_path)
    checked = check(exercise_id, app)
    assert checked.judged[0].finding == "it goes round without end: it was broken off while it still ran."
    assert [each.name for each in threading.enumerate() if each.name.startswith("playground lab")] == []


async def spins_for_a_path(path: str) -> None:
    await spins()


def test_an_app_that_never_comes_up_is_broken_off_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "LIMIT_S", 0.2)

    @asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        await spins()
        yield

    checked = check("09.2", App(lifespan=lifespan))
    assert checked.judged[0].finding == "it goes round without end: it was broken off while it still ran."
    assert [each.name for each in threading.enumerate() if each.name.startswith("playground lab")] == []


def test_an_interrupt_of_the_user_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trials, "_tried", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check("08.2", all_at_once)


def test_a_function_that_returns_nothing_is_told_so() -> None:
    assert check("08.2", takes_nothing).judged[0].finding.startswith("it raised `TypeError: takes_nothing() takes 0 ")

    async def nothing(fetch: Fetch, names: list[str]) -> None: ...

    assert check("08.2", nothing).judged[0].finding == (
        "expected `['ANT', 'BEE', 'CAT', 'DOG', 'EEL', 'FOX']`, got `None`: its hole is still open, or it has "
        "no `return`."
    )


def test_the_right_value_is_not_enough() -> None:
    async def guesses(fetch: Fetch, names: list[str]) -> list[str]:
        return [name.upper() for name in names]

    checked = check("08.2", guesses)
    assert checked.points == 0
    assert checked.judged[0].finding == "expected 1 call for `ant`, got 0: what is returned has to come from there."
    assert check("05.4", guesses).points == 0


def test_a_lock_that_virtual_time_does_not_know_is_told_so() -> None:
    error = NotInVirtualTime(
        "expected waits of Python's own. A lock made before the lab, or a wait in C, cannot be ..."
    )
    assert made_outside.explain(Attempt((), [trials.Tried(None, error=error)])) == (
        "A lock was made outside, before the check. The check runs in virtual time, which knows the waits with locks "
        "that are made in it, and no others: make it inside the function that is checked."
    )
    assert made_outside.explain(Attempt((), [trials.Tried(None, error=NotInVirtualTime("a socket"))])) is None


# -- hints ----------------------------------------------------------------------------------------------------


def test_each_failing_check_gives_one_hint_more_and_the_last_stays() -> None:
    hints = exercise("08.2").hints
    got = [check("08.2", one_by_one) for _ in range(5)]
    assert [each.hint for each in got] == [*hints, hints[-1], hints[-1]]
    assert [each.hint_number for each in got] == [1, 2, 3, 3, 3]
    assert check("08.3", ...).hint is None
    assert check("09.1", 0.1).hint == exercise("09.1").hints[0]
    assert check("08.2", all_at_once).hint is None
    restart("08.2")
    assert check("08.2", one_by_one).hint_number == 1
    assert check("09.1", 0.1).hint_number == 2


# -- how it reads ---------------------------------------------------------------------------------------------


def test_a_check_reads_from_what_was_asked_to_the_next_hint() -> None:
    assert str(check("08.2", one_by_one)) == (
        "Exercise 08.2: not yet, 1 of 3 points.\n"
        "Asked: Fetch all pages at once: `await fetch(name)` takes 1 s each, and all six shall take 1 s.\n"
        "Your run: 6 s · 1 task · 13 steps\n"
        "  ✓ it returns the list of pages, in the order of the names\n"
        "  ✗ all six are fetched at once: expected 6 going on at once, got 1 at most; the last was over after 6 s.\n"
        "Why: Each fetch begins when the one before it is over: 6 s in all. `await` waits until what it awaits has "
        "ended, so in a loop, or line by line, the next is not even begun until then.\n"
        "Hint 1 of 3: What is awaited line by line happens line by line. Begin all of them before you wait for the "
        "first."
    )
    assert str(check("08.2", all_at_once)) == (
        "Exercise 08.2: passed, 3 of 3 points.\n"
        "Asked: Fetch all pages at once: `await fetch(name)` takes 1 s each, and all six shall take 1 s.\n"
        "Your run: 1 s · 7 tasks · 26 steps\n"
        "  ✓ it returns the list of pages, in the order of the names\n"
        "  ✓ all six are fetched at once"
    )


def test_nothing_of_the_students_is_markup_and_the_picture_is_an_image() -> None:
    async def hostile(fetch: Fetch, names: list[str]) -> None:
        raise ValueError("<script>alert('x')</script> `<b>`")

    page = check("08.2", hostile)._repr_mimebundle_()["text/html"]
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in page
    tags = set(re.findall(r"<(\w+)", page))
    assert tags == {"div", "strong", "em", "code", "img"}
    assert re.search(r'<img src="data:image/svg\+xml;base64,[\w+/=]+" alt="Timeline of your run: [^"<>]+"', page)


def test_the_picture_does_not_tell_what_is_for_the_hints() -> None:
    from tests.course.wrong_09 import blocks, with_report

    checked = check("09.2", with_report(blocks))
    assert checked.attempt is not None
    assert "await asyncio.sleep(0.2)" in str(checked.attempt.trace.diagnosis[0])
    page = checked._repr_mimebundle_()["text/html"]
    found = re.search(r"base64,([\w+/=]+)", page)
    assert found is not None
    picture = base64.b64decode(found[1]).decode()
    assert "Your run" in picture
    assert "await asyncio" not in picture


def test_a_check_is_true_if_it_has_passed() -> None:
    assert check("08.2", all_at_once)
    assert not check("08.2", one_by_one)


# -- the table ------------------------------------------------------------------------------------------------


def test_exercises_are_numbered_and_say_all_that_a_student_needs() -> None:
    assert sorted(IDS) == IDS
    for each in exercises():
        assert re.fullmatch(r"\d\d\.\d", each.id)
        assert each.points >= 2
        assert 2 <= len(each.hints) <= 3
        assert each.mistakes
        assert all(rule.points for rule in each.rules[1:])


def test_a_program_is_shown_as_it_is_written_and_runs() -> None:
    said: list[str] = []
    relay = program("08.1")
    asyncio.run(relay(said.append))
    assert said[0] == "main goes on"
    assert str(relay).startswith("async def relay(say: Callable[[str], object]) -> None:\n    async def runner(")
    assert relay._repr_mimebundle_()["text/html"].startswith(
        "<pre><code>async def relay(say: Callable[[str], object]) -&gt; "
    )
    assert str(program("09.1")).startswith(
        '@site.get("/report")\nasync def report() -> str:\n    time.sleep(0.2)\n    return "reported"\n\n'
    )  # without the comment to a linter there, which tells what the student is to find


def test_asking_for_what_is_not_there_is_an_error_in_words() -> None:
    with pytest.raises(
        CourseError, match=rf"^expected the id of an exercise, got '1': there are {re.escape(', '.join(IDS))}$"
    ):
        exercise("1")
    about = ", ".join(each.id for each in exercises() if each.program is not None)
    told = rf"^expected an exercise about a program, got '08\.2': those are {re.escape(about)}$"
    with pytest.raises(CourseError, match=told):
        program("08.2")
