"""What a round of the soak does: traffic of every kind on a lab that stays open, and on others that come and go.

Each action counts what came of it, so that a soak in which nothing happened is not taken for one that left nothing
behind. What is measured between the rounds, this does not know.
"""

import asyncio
import collections
import contextlib
import hashlib
import itertools
import threading
import time
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
import httpx

from playground import Lab, Trace, compare, watch
from playground.run import Run
from playground.trace import Clock
from playground.widgets.live import LiveTimeline
from tests.soak.apps import APPS, LARGE_BYTES, starlette_app

__all__ = ["Traffic"]

_PATHS: Final = (
    *("/quick?a=1", "/thread", "/quick", "/stream", "/thread_stream", "/behind", "/late", "/wrong", "/missing"),
    *("/thread", "DELETE /quick"),
)
_LARGE_EVERY: Final = 97
"""Of so many requests one is an upload that goes to a file."""


class Shown(LiveTimeline):
    """A live timeline with one picture on a page, which answers as a browser does."""

    def __init__(self) -> None:
        self.heard_bytes = 0
        super().__init__()
        self._handle_custom_msg({"type": "ready", "view": "soak"}, [])

    def send(self, content: Any, buffers: Any = None) -> None:
        self.heard_bytes += sum(len(buffer) for buffer in buffers or ())
        self._handle_custom_msg({"type": "got", "view": "soak", "seq": content.get("seq", 0)}, [])


class Traffic:
    """One lab that stays open, with a live timeline, and all that is done with and beside it.

    Args:
        clock: the labs' clock.
        scratch: a folder for what is saved.
        rate: requests a second, in the lab's time.

    Attributes:
        done: how often what came of it.
    """

    def __init__(self, clock: Clock, scratch: Path, rate: float) -> None:
        self.done: collections.Counter[str] = collections.Counter()
        self._clock = clock
        self._scratch = scratch
        self._rate = rate
        self._rounds = itertools.count(1)
        self._lab = Lab(starlette_app("playground.web"), clock=clock, threads=8)
        self._shown = Shown()
        self._lab.follow(self._shown)
        self._makers = itertools.cycle(APPS.items())

    def close(self) -> None:
        self._shown.close()
        self._lab.close()
        self.done["bytes of live pictures"] = self._shown.heard_bytes

    def round(self, duration_s: float) -> None:
        """One round of traffic, for so long in the lab's time."""
        number = next(self._rounds)
        run = self._lab.load(self._request, rate=self._rate, duration=duration_s)
        self._count(run)
        self._look_at(run, thorough=number % 6 == 0)
        self._talk()
        self._run_out_of_patience()
        self._break_off()
        self._open_another()
        self._watch(number)
        if self._clock == "real" and number % 3 == 0:
            self._serve()
        self._lab.runs.clear()

    def brief_round(self, duration_s: float) -> None:
        """The least that touches threads, streams, websockets, timeouts, and a lab that comes and goes."""
        self._count(self._lab.load(self._request, rate=self._rate, duration=duration_s))
        self._talk()
        self._run_out_of_patience()
        self._open_another(closings=(next(self._rounds) % 2 == 0,))
        self._lab.runs.clear()

    # -- on the lab that stays open -----------------------------------------------------------------------------

    def _request(self, index: int) -> str | httpx.Request:
        if index % _LARGE_EVERY == 0 or index % 11 == 5:
            size = LARGE_BYTES if index % _LARGE_EVERY == 0 else 2000
            return self._lab.client.build_request("POST", "/upload", files={"file": ("a.txt", b"x" * size)})
        return _PATHS[index % len(_PATHS)]

    def _count(self, run: Run) -> None:
        for response in run.responses:
            self.done[f"{response.status_code // 100}xx"] += 1
        self.done["hand-offs"] += len(run.trace.handoffs)
        self.done["steps"] += len(run.trace.steps)

    def _look_at(self, run: Run, thorough: bool) -> None:
        """Ask a run for all that it can show and keep."""
        path = self._scratch / "run.trace"
        run.save(path)
        saved = Trace.load(path)
        assert str(saved) == str(run)
        run.to_svg()
        self.done["findings"] += len(run.diagnosis)
        views = [run.timeline(), run.theatre(), run.requests[0].waterfall()]
        if thorough:
            views.append(compare(run, saved).view())
            run.to_html(self._scratch / "run.html")
            run.to_chrome(self._scratch / "run.json")
            self._lab.panel().close()
        for view in views:
            view._repr_mimebundle_()
            view.close()

    def _talk(self) -> None:
        """A websocket that is closed, one whose client just leaves, a stream that is left in its midst."""
        with self._lab.websocket("/echo") as websocket:
            for word in ("one", "two"):
                websocket.send_text(word)
                self.done["websocket messages"] += websocket.receive_text() == word
            websocket.close()
        with contextlib.suppress(ZeroDivisionError), self._lab.websocket("/echo") as websocket:
            websocket.send_text("left")
            raise ZeroDivisionError
        with self._lab.stream("GET", "/endless") as response:
            self.done["left in a stream"] += next(response.iter_text()) == "and on\n"
        with contextlib.suppress(ValueError):
            self._lab.get("/wrong")

    def _run_out_of_patience(self) -> None:
        """Clients with a time limit, and one that is cancelled."""
        client = self._lab.client

        async def impatient() -> int:
            async with asyncio.TaskGroup() as group:
                asked = [group.create_task(_timed_out(client)) for _ in range(4)]
                cancelled = group.create_task(client.get("/slow"))
                await asyncio.sleep(0.01)
                cancelled.cancel()
            return sum(each.result() for each in asked)

        self.done["timeouts"] += self._lab.run(impatient).result

    def _break_off(self) -> None:
        """A run that is interrupted while it goes on, as by the stop button."""
        begun = threading.Event()

        async def goes_on() -> None:
            begun.set()
            await asyncio.Event().wait() if self._clock == "real" else await _for_ever()

        def stops() -> None:
            begun.wait()
            self._lab.snapshot()
            self._lab.stop()

        other = threading.Thread(target=stops, name="soak stops")
        other.start()
        with contextlib.suppress(KeyboardInterrupt):
            self._lab.run(goes_on)
            self.done["runs that were not broken off"] += 1
        other.join()
        self.done["broken off"] += 1

    # -- beside it ----------------------------------------------------------------------------------------------

    def _open_another(self, closings: tuple[bool, ...] = (True, False)) -> None:
        """Other labs with another app, each of which is closed, or left to the garbage collector."""
        name, make = next(self._makers)
        for closes in closings:
            lab = Lab(make(), clock=self._clock, threads=3)
            run = lab.burst(_PATHS[0], n=12)
            lab.burst(lambda index: _PATHS[index % 2], n=6)
            self.done[f"labs with {name}"] += run.responses[0].status_code == 200
            if closes:
                lab.close()
            del lab

    def _watch(self, number: int) -> None:
        """Code that is no web app, recorded by a watch that is on for as long as that takes."""
        trace = watch(_program, backend="trio" if number % 4 == 0 else "asyncio")
        self.done["watched tasks"] += len(trace.tasks)
        with watch() as block:
            asyncio.run(_program())
        block.timeline().close()
        asyncio.run(_program())  # and one that nobody watches

    def _serve(self) -> None:
        """The same app on a real socket."""
        with self._lab.serve() as server, httpx.Client(base_url=server.url) as client:
            for path in ("/quick", "/thread", "/stream"):
                self.done["over a socket"] += client.get(path).status_code == 200


async def _timed_out(client: httpx.AsyncClient) -> bool:
    try:
        await client.get("/slow", timeout=0.02)
    except httpx.TimeoutException:
        return True
    return False


async def _for_ever() -> None:
    """A wait that virtual time does not take for a deadlock, but so slow for real that it is broken off before it has
    filled the memory, also where whoever breaks it off is starved."""
    while True:
        await anyio.to_thread.run_sync(time.sleep, 0.001)
        hashlib.pbkdf2_hmac("sha256", b"", b"", 20_000)


async def _program() -> None:
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(anyio.sleep, 0.001)
            group.start_soon(anyio.to_thread.run_sync, time.sleep, 0.001)
        with anyio.move_on_after(0.002):
            await anyio.sleep_forever()
    with contextlib.suppress(ExceptionGroup):
        async with anyio.create_task_group() as group:
            group.start_soon(_fails)
            group.start_soon(anyio.sleep_forever)


async def _fails() -> None:
    raise ValueError("the soak's own mistake")
