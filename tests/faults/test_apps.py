"""Apps that do wrong: what their client sees, what is recorded and logged, and that the lab goes on as if nothing was.

One table for all houses and both clocks: a fault, the moment at which it shows, and what is raised. What follows from
these is the same for each fault: who asks once is raised what the app raises, at that moment and once; among many,
each has an answer, and the recording names the error; only what is meant to end everything ends the run.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NamedTuple

import anyio.to_thread
import pytest

from playground import Lab, Run, Trace
from playground.asgi import Receive, Send
from playground.trace import Clock
from playground.trace.store import dump, restore
from tests.faults.apps import END, HOUSES, RAISED, START, WELL, Handler, Loud, body, house_of

Moment = Literal["before", "amid", "after"]
"""When a fault shows: before the response has begun, after a piece of its body, or after its end."""

TWICE: Final = " A response that the handler has sent itself must not be returned as well."
OWES: Final = "{}: expected `http.response.{}`, but the app {}"
ENDS_ALL: Final = (KeyboardInterrupt, SystemExit)


class Fault(NamedTuple):
    """One way to do wrong.

    Attributes:
        handler: what the app does.
        moment: when it shows.
        kind: what its client is raised.
        text: that one's text; `{}` stands for the request. `None` where Python or nobody says what it is.
        lets_out: whether the app itself lets that out, and not the transport.
        twice: whether our own toolkit sees it too, and earlier: it has words of its own for it.
    """

    handler: Handler
    moment: Moment
    kind: type[BaseException]
    text: str | None
    lets_out: bool = True
    twice: bool = False


async def says_nothing(receive: Receive, send: Send) -> None: ...


async def breaks_off(receive: Receive, send: Send) -> None:
    await send(START)
    await send(body(b"x"))


async def sends_the_body_first(receive: Receive, send: Send) -> None:
    await send(END)


async def starts_twice(receive: Receive, send: Send) -> None:
    await send(START)
    await send(body(b"x"))
    await send(START)


async def sends_after_the_end(receive: Receive, send: Send) -> None:
    await send(START)
    await send(END)
    await send(END)


async def recurses(receive: Receive, send: Send) -> None:
    await recurses(receive, send)


async def recurses_in_a_function(receive: Receive, send: Send) -> None:
    around()


async def recurses_in_a_thread(receive: Receive, send: Send) -> None:
    await anyio.to_thread.run_sync(around)


def around() -> None:
    around()


def raising(kind: type[BaseException], moment: Moment) -> Handler:
    async def raises(receive: Receive, send: Send) -> None:
        if moment != "before":
            await send(START)
            await send(body(b"x") if moment == "amid" else END)
        raise kind("on purpose")

    return raises


def raising_in_a_thread(kind: type[BaseException]) -> Handler:
    def raises() -> None:
        raise kind("on purpose")

    async def waits(receive: Receive, send: Send) -> None:
        await anyio.to_thread.run_sync(raises)

    return waits


def faults() -> Iterator[tuple[str, Fault]]:
    from playground.errors import ProtocolError as Wrong

    returned = "returned without sending one. Send a response in every branch of the app."
    broke = (
        "{}: expected `http.response.body` with `more_body=False`, but the app returned after 1 byte of body. Send a "
        "last body message, one without `more_body=True`."
    )
    first = "sent `http.response.body`. Send the status and the headers first, then the body."
    once = "sent `http.response.start`. Send the status and the headers once, then only the body."
    end = (
        "{}: expected nothing more, but the app sent `http.response.body`. A body message without `more_body=True` "
        "ends the response; send nothing after it."
    )
    yield "says nothing", Fault(says_nothing, "before", Wrong, OWES.format("{}", "start", returned), lets_out=False)
    yield "breaks off", Fault(breaks_off, "amid", Wrong, broke, lets_out=False)
    yield "body first", Fault(sends_the_body_first, "before", Wrong, OWES.format("{}", "start", first))
    yield "starts twice", Fault(starts_twice, "amid", Wrong, OWES.format("{}", "body", once), twice=True)
    yield "after the end", Fault(sends_after_the_end, "after", Wrong, end, twice=True)
    for kind in RAISED:
        moments: tuple[Moment, ...] = ("before", "amid", "after")
        for moment in moments:
            yield f"{kind.__name__} {moment}", Fault(raising(kind, moment), moment, kind, "on purpose")
        yield f"{kind.__name__} in a thread", Fault(raising_in_a_thread(kind), "before", kind, "on purpose")
    for recursing in (recurses, recurses_in_a_function, recurses_in_a_thread):
        yield recursing.__name__, Fault(recursing, "before", RecursionError, None)
    yield "loud", Fault(raising(Loud, "before"), "before", Loud, None)


FAULTS: Final = dict(faults())


# -- what is seen ---------------------------------------------------------------------------------------------------


class Raised(NamedTuple):
    """An exception: its type and text; `...` for a text that nobody says what it is."""

    kind: type[BaseException]
    text: Any


class Seen(NamedTuple):
    """What became of one fault.

    Attributes:
        get: what `lab.get` raised.
        streamed: what of the answer came through `lab.stream` before it raised.
        stream: what that raised.
        burst: the statuses of two at once, or what was raised.
        noted: of how many requests the recording names the error.
        logged: what the log says.
        well: what the same lab answers afterwards.
    """

    get: Raised | None
    streamed: list[object]
    stream: Raised | None
    burst: list[int] | Raised
    noted: set[str | None]
    logged: list[str]
    well: bytes


@pytest.mark.parametrize("clock", ["real", "virtual"])
@pytest.mark.parametrize("house", HOUSES)
def test_a_fault_is_told_once_as_what_it_is_and_the_lab_goes_on(
    house: str, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    app = house_of(house, {name: fault.handler for name, fault in FAULTS.items()})
    seen, expected = {}, {}
    with Lab(app, clock=clock) as lab:
        for name, fault in FAULTS.items():
            path = f"/{name.replace(' ', '-')}/"
            seen[name] = what_is_seen(lab, path, fault, caplog)
            expected[name] = what_should_be(path, fault, house)
    assert seen == expected


def what_is_seen(lab: Lab, path: str, fault: Fault, caplog: pytest.LogCaptureFixture) -> Seen:
    caplog.clear()
    get = raised_by(lambda: lab.get(path), fault)
    streamed: list[object] = []

    def stream() -> None:
        with lab.stream("GET", path) as response:
            streamed.append(response.status_code)
            streamed.extend(response.iter_bytes())

    streaming = raised_by(stream, fault)
    ended = raised_by(lambda: lab.burst(path, 2), fault)
    run = lab.runs[-1]
    noted = {told(request.error, fault) for request in run.trace.requests}
    check_the_recording(run)
    burst = [response.status_code for response in run.responses] if ended is None else ended
    if ended is not None:
        noted -= {None, "CancelledError"}  # of the other, which was broken off
    logged = [record.name + " " + record.getMessage() for record in caplog.records]
    return Seen(get, streamed, streaming, burst, noted, logged, lab.get(WELL + "/").content)


def what_should_be(path: str, fault: Fault, house: str) -> Seen:
    text = ... if fault.text is None else fault.text.format(f"GET {path}")
    if fault.twice and house == "playground.web":
        text = f"E{fault.text}{TWICE}".replace("E{}: e", "E")
    raised = Raised(fault.kind, text)
    # a framework answers in place of what raised an exception too early, and lets it out all the same
    answered = house != "bare" and fault.lets_out and issubclass(fault.kind, Exception)
    streamed: dict[Moment, list[object]] = {
        "before": [500, b"Internal Server Error"] if answered else [],
        "amid": [200, b"x"],
        "after": [200, b"x"],
    }
    status = 200 if fault.moment == "after" else 500
    return Seen(
        get=raised,
        streamed=streamed[fault.moment],
        stream=raised,
        burst=raised if issubclass(fault.kind, ENDS_ALL) else [status, status],
        noted={told(f"{fault.kind.__name__}: {text}", fault) if fault.lets_out else None},
        logged=[],
        well=b"x",
    )


def raised_by(act: Callable[[], object], fault: Fault) -> Raised | None:
    try:
        act()
    except BaseException as error:  # noqa: BLE001 (that is what is asked)
        return Raised(type(error), ... if fault.text is None else str(error))
    return None


def told(error: str | None, fault: Fault) -> str | None:
    """What a recording says of a fault; only its type where its text is not known."""
    return error if fault.text is not None or error is None else error.split(":")[0].split(" ")[0]


def check_the_recording(run: Run) -> None:
    """Whatever happened in it: a recording is shown, judged, drawn, saved and loaded."""
    assert str(run)
    assert run.trace.to_svg().startswith("<svg")
    assert list(restore(Trace, dump(run.trace)).requests) == list(run.trace.requests)


# -- after the client has left ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RAISED)
def test_what_is_raised_when_nobody_waits_any_more_is_logged_once(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    answered = threading.Event()

    async def raises_late(receive: Receive, send: Send) -> None:
        await send(START)
        await send(END)
        await anyio.to_thread.run_sync(answered.wait)
        raise kind("on purpose")

    with Lab(house_of("bare", {"late": raises_late})) as lab:
        assert lab.get("/late").content == b"x"
        answered.set()
        wait_for(lambda: caplog.records)
        assert lab.get(WELL).content == b"x"
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == (
        "playground.transport",
        "GET /late: the app raised this after its client had left.",
    )
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], kind)


def wait_for(found: Callable[[], object]) -> None:
    """Until it is so; a test that waits for ever is ended by its runner."""
    pause = threading.Event()
    while not found():
        pause.wait(0.001)
