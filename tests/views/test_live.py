"""A live picture shows, at each look, what the picture of a recording that ended there would show."""

import asyncio
from array import array
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import anyio.to_thread
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.asgi import Receive, Scope, Send
from playground.clock.virtual import VirtualLoop
from playground.clock.work import work
from playground.trace.build import Live
from playground.trace.recorder import Recorder
from playground.trace.requests import recorded_app
from playground.views.lanes import NO_REQUEST, Arrows, Row, What, lanes
from playground.views.live import LiveLanes
from tests.trace.test_live import ask, recorded_on

Shown = dict[str, Any]


def spans(row: Row, whats: Sequence[What]) -> list[tuple[Any, ...]]:
    """A row's spans; but those of no length, of which there are many in virtual time, and no order among them.

    Of a worker's only times and names: where a task that works for several requests waits for it is known later.
    """
    columns = zip(row.starts, row.ends, row.kinds, row.whats, row.requests, strict=True)
    found = [(start, end, kind, whats[what], request) for start, end, kind, what, request in columns]
    assert [span[0] for span in found] == sorted(span[0] for span in found)
    if row.group == "worker":
        return sorted((start, end, what.name) for start, end, _, what, _ in found)
    return sorted(span for span in found if span[0] < span[1])


def arrows_of(arrows: Arrows) -> list[tuple[int, ...]]:
    names = ("starts", "ends", "from_rows", "to_rows", "requests")
    columns: list[array[int]] = [getattr(arrows, name) for name in names]
    return sorted(zip(*columns, strict=True))


def shown(rows: Sequence[Row], whats: Sequence[What], arrows: Arrows) -> Shown:
    """A picture by lane, whatever order its rows have; of arrows, which worker they lead to."""
    told: Shown = {f"{row.group} {row.lane}": spans(row, whats) for row in rows}
    names = [f"{row.group} {row.lane}" for row in rows]
    told["arrows"] = [(a, b, names[c], names[d]) for a, b, c, d, _ in arrows_of(arrows)]
    return told


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    work(0.001)
    await asyncio.sleep(0.2)
    work(0.002)
    await asyncio.sleep(0)
    work(0.001)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await anyio.to_thread.run_sync(work, 0.03)
    work(0.07)


async def family(scope: Scope, receive: Receive, send: Send) -> None:
    """A request whose children run while it waits, and one of them while it is ready."""
    work(0.001)
    children = [asyncio.create_task(napping(times)) for times in (1, 3)]
    await asyncio.sleep(0.2)
    work(0.001)
    await children[1]
    await send({"type": "http.response.start", "status": 500, "headers": []})


async def napping(times: int) -> None:
    for _ in range(times):
        work(0.002)
        await asyncio.sleep(0)
        work(0.003)
        await asyncio.sleep(0.07)


ACTIONS = st.lists(
    st.sampled_from(
        ["yield", "sleep", "sleep", "thread", "child", "request", "request", "here", "family", "look", "look"]
    ),
    min_size=1,
    max_size=25,
)


def program(actions: list[str], look: Callable[[Recorder], None]) -> Callable[[Recorder], Coroutine[Any, Any, None]]:
    async def run(recorder: Recorder) -> None:
        apps = {"request": recorded_app(plain, lambda: recorder), "family": recorded_app(family, lambda: recorder)}
        going = []
        for action in actions:
            if action == "yield":
                await asyncio.sleep(0)
            elif action == "sleep":
                await asyncio.sleep(0.1)
            elif action == "thread":
                await anyio.to_thread.run_sync(int)
            elif action == "child":
                going.append(asyncio.create_task(asyncio.sleep(0.25)))
            elif action == "here":
                await ask(apps["request"])  # in this very task, which so works for several requests in turn
            elif action in apps:
                going.append(asyncio.create_task(ask(apps[action])))
            else:
                await asyncio.sleep(0)  # of the step that looks nothing is known
                look(recorder)
        await asyncio.gather(*going)
        await asyncio.sleep(0)
        look(recorder)

    return run


@settings(max_examples=80)
@given(ACTIONS)
def test_each_look_shows_what_the_picture_of_what_is_over_would(actions: list[str]) -> None:
    looks: list[tuple[Shown, Shown]] = []
    pictures: list[LiveLanes] = []
    lives: list[Live] = []

    def look(recorder: Recorder) -> None:
        if not lives:
            lives.append(Live(recorder))
        reading = lives[0].read()
        if not pictures:
            pictures.append(LiveLanes(reading))
        live = pictures[0]
        live.grow()
        whole = lanes(reading.trace("Run"))
        looks.append((shown(live.rows, live.whats, live.arrows), shown(whole.rows, whole.whats, whole.arrows)))
        assert live.duration_ns == whole.duration_ns
        assert live.requests == list(whole.requests)

    recorded_on(VirtualLoop(), program(actions, look))
    for live, whole in looks:
        assert live == whole
    assert NO_REQUEST not in {span[4] for name, spans in looks[-1][0].items() if name[:4] == "life" for span in spans}
