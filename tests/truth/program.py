"""A small language of concurrent programs, and how hypothesis writes one.

A program is a list of bodies, a body a list of actions; each top body becomes a task. The language decides what can
happen; it refuses to know how anything runs (`interpreter`) and what of it was seen (`witness`). Every program
ends: what waits for ever is cancelled by the interpreter's main task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

__all__ = ["BLOCKING", "PROGRAMS", "Action", "Body", "Program"]

EVENTS = LOCKS = QUEUES = FUTURES = 3
"""How many of each a program has: of asyncio's kind, of asyncio's other kind, of anyio's."""


@dataclass(frozen=True)
class Work:
    """Keep the processor busy within the step, by units of about a microsecond."""

    units: int


@dataclass(frozen=True)
class Block:
    """Hold the loop: asleep, waiting for another thread, or at work."""

    way: Literal["sleep", "event", "work"]
    delay_ms: int


@dataclass(frozen=True)
class Yield:
    """`asyncio.sleep(0)`, or anyio's checkpoint."""

    library: Literal["asyncio", "anyio"]


@dataclass(frozen=True)
class Sleep:
    delay_ms: int
    library: Literal["asyncio", "anyio"]


@dataclass(frozen=True)
class SetEvent:
    index: int


@dataclass(frozen=True)
class WaitEvent:
    index: int


@dataclass(frozen=True)
class Hold:
    """A lock or a semaphore around a body."""

    index: int
    body: "Body"


@dataclass(frozen=True)
class Put:
    index: int


@dataclass(frozen=True)
class Get:
    index: int


@dataclass(frozen=True)
class Resolve:
    """Set a future's result, if it has none."""

    index: int


@dataclass(frozen=True)
class AwaitFuture:
    index: int


@dataclass(frozen=True)
class Nap:
    """In a worker: sleep."""

    delay_ms: int


@dataclass(frozen=True)
class Post:
    """In a worker: have the loop set an event, by `call_soon_threadsafe`."""

    index: int


@dataclass(frozen=True)
class Back:
    """In a worker: have the loop run a body, and wait for it."""

    way: Literal["anyio", "asyncio"]
    body: "Body"


@dataclass(frozen=True)
class Trip:
    """In a worker: fail."""


Errand = Nap | Post | Back | Trip


@dataclass(frozen=True)
class Thread:
    """A call in a worker thread; `limited` is anyio with a limiter of one place, `own` a pool of one thread."""

    way: Literal["to_thread", "executor", "own", "anyio", "limited", "abandoned"]
    errands: tuple[Errand, ...]


@dataclass(frozen=True)
class Callback:
    """A callback of the program's own, which sets an event."""

    way: Literal["soon", "later", "threadsafe"]
    index: int


@dataclass(frozen=True)
class Within:
    """A body under a deadline."""

    way: Literal["timeout", "move_on", "fail_after"]
    limit_ms: int
    body: "Body"


@dataclass(frozen=True)
class Shield:
    """A body that anyio's scopes do not cancel."""

    body: "Body"


@dataclass(frozen=True)
class Cancel:
    """Cancel one of the tasks that the program has made, counted round."""

    victim: int


@dataclass(frozen=True)
class Fail:
    """Raise."""


@dataclass(frozen=True)
class Spawn:
    """A task, awaited at once or left to itself."""

    body: "Body"
    awaited: bool


@dataclass(frozen=True)
class Together:
    """Several tasks, in one of the ways to wait for all of them; `first` waits for the first to end."""

    way: Literal["gather", "wait", "first", "group", "anyio"]
    bodies: tuple["Body", ...]
    body: "Body" = ()


Action = (
    Work
    | Block
    | Yield
    | Sleep
    | SetEvent
    | WaitEvent
    | Hold
    | Put
    | Get
    | Resolve
    | AwaitFuture
    | Thread
    | Callback
    | Within
    | Shield
    | Cancel
    | Fail
    | Spawn
    | Together
)
Body = tuple[Action, ...]
Program = tuple[Body, ...]


def _some(actions: st.SearchStrategy[Action], most: int) -> st.SearchStrategy[Body]:
    return st.lists(actions, max_size=most).map(tuple)


def _one_of(words: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


_LIBRARIES = _one_of(["asyncio", "anyio"])
_INDEX = st.integers(0, 2)
_SHORT_MS = st.integers(0, 3)

_LEAVES: st.SearchStrategy[Action] = st.one_of(
    st.builds(Yield, _LIBRARIES),
    st.builds(Sleep, st.integers(1, 3), _LIBRARIES),
    st.builds(Work, st.integers(0, 200)),
    st.builds(Block, _one_of(["sleep", "event"]), _SHORT_MS),
    st.builds(SetEvent, _INDEX),
    st.builds(WaitEvent, _INDEX),
    st.builds(Put, _INDEX),
    st.builds(Get, _INDEX),
    st.builds(Resolve, _INDEX),
    st.builds(AwaitFuture, _INDEX),
    st.builds(Callback, _one_of(["soon", "later", "threadsafe"]), _INDEX),
    st.builds(Cancel, st.integers(0, 9)),
    st.builds(Fail),
)


def _errands(actions: st.SearchStrategy[Action]) -> st.SearchStrategy[tuple[Errand, ...]]:
    errand = st.one_of(
        st.builds(Nap, _SHORT_MS),
        st.builds(Post, _INDEX),
        st.builds(Back, _LIBRARIES, _some(actions, 2)),
        st.builds(Trip),
    )
    return st.lists(errand, max_size=3).map(tuple)


_WAYS_TO_A_THREAD = ["to_thread", "executor", "own", "anyio", "limited", "abandoned"]


def _branches(actions: st.SearchStrategy[Action]) -> st.SearchStrategy[Action]:
    body = _some(actions, 3)
    return st.one_of(
        st.builds(Thread, _one_of(_WAYS_TO_A_THREAD), _errands(actions)),
        st.builds(Hold, _INDEX, body),
        st.builds(Within, _one_of(["timeout", "move_on", "fail_after"]), _SHORT_MS, body),
        st.builds(Shield, body),
        st.builds(Spawn, body, st.booleans()),
        st.builds(
            Together,
            _one_of(["gather", "wait", "first", "group", "anyio"]),
            st.lists(body, max_size=3).map(tuple),
            body,
        ),
    )


PROGRAMS: st.SearchStrategy[Program] = st.lists(
    _some(st.recursive(_LEAVES, _branches, max_leaves=6), 5), min_size=1, max_size=5
).map(tuple)
"""Programs of up to five tasks that may make more, and are made smaller by dropping tasks, actions and delays."""

_LONG_MS = 60
"""Longer than what is called a block, and enough for ten looks."""

_BLOCKS: st.SearchStrategy[Action] = st.builds(
    Block, _one_of(["sleep", "event", "work"]), st.sampled_from([_LONG_MS, 2 * _LONG_MS])
)

BLOCKING: st.SearchStrategy[Program] = st.lists(
    st.tuples(_LEAVES, _BLOCKS, _LEAVES) | st.tuples(_BLOCKS, st.just(Yield("asyncio")), _LEAVES) | _some(_LEAVES, 3),
    min_size=1,
    max_size=3,
).map(tuple)
"""Programs of which some tasks hold the loop for long."""
