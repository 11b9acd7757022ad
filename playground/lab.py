"""The lab: one app, an event loop to run it on, requests to send it, and a recording of what happened.

A `Lab` joins what knows nothing of one another: the app, the transport that calls it, the loop that runs it
and the recorder that watches the loop. It decides what is recorded and when; how to record, to send or to draw
is decided elsewhere.
"""

import contextlib
import sys
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import httpx

from playground.arrivals import Arrivals, planned
from playground.asgi import ASGIApp
from playground.bridge import Bridge, blocking_response
from playground.clock.afterwards import afterwards, catch_up
from playground.clock.choice import Time
from playground.clock.virtual import Schedule
from playground.errors import LabError
from playground.functions import check_not_called
from playground.host import Answered, Host
from playground.orders import Orders, RequestLike
from playground.progress import Progress
from playground.recordings import Follower, Recordings
from playground.run import Run
from playground.sending import send_at, send_at_once
from playground.server import Server
from playground.trace import Clock, Trace
from playground.trace.recorder import Recorder
from playground.tracebacks import from_the_app
from playground.transport import BlockingSession, Network

if TYPE_CHECKING:
    from playground.widgets.live import LiveTimeline
    from playground.widgets.panel import Panel

T = TypeVar("T")

__all__ = ["Lab", "RequestLike"]

_BASE_URL: Final = "http://lab"


class Lab:
    """An app under observation, on an event loop of its own.

    Args:
        app: an ASGI 3, ASGI 2 or WSGI app; started up here and shut down by `close`, if it has a lifespan.
        clock: what time is: `real`, or `virtual`, where it jumps to the next timer when nothing can run.
        threads: how many worker threads may run at once; anyio's limit, whose default is 40 too.
        network: simulated conditions between client and app; `None` for none.
        seed: of all that chance decides: when `load` sends its requests, and the order of a random schedule.
        schedule: in virtual time, who runs first of those who could run at one moment: `fifo`, who could first;
            `random`, whoever the seed says, to find races and to see one again.
        charge_cpu: in virtual time, whether computing takes the time that it took here: not the same in each run.
        trace: whether runs are recorded.

    Raises:
        LabError: `app` is no app, or another argument is of no use.
        LifespanError: the app failed to start up.

    The methods block and are meant for a notebook's cells; `client` is for `await`, from any loop. A lab is a
    context manager, and is also closed when it is garbage-collected or when the process ends.
    """

    def __init__(
        self,
        app: "ASGIApp | Callable[..., Any]",  # quoted, as help() shows it: written out it fills the screen
        *,
        clock: Clock = "real",
        threads: int = 40,
        network: Network | None = None,
        seed: int = 0,
        schedule: Schedule = "fifo",
        charge_cpu: bool = False,
        trace: bool = True,
    ) -> None:
        chosen = Time(clock, seed, schedule, charge_cpu)
        if type(threads) is not int or threads < 1:
            raise LabError(f"expected a number of threads from 1, got {threads!r}: plain def handlers run in them")
        self.app = app
        self.runs: list[Run] = []
        self._seed = seed
        self.made_with: dict[str, Any] = {
            **{"clock": clock, "threads": threads, "network": network, "seed": seed, "schedule": schedule},
            **{"charge_cpu": charge_cpu, "trace": trace},
        }
        self._host = Host(app, chosen, threads=threads, network=network, trace=trace)
        self._thread = self._host.thread
        self._recordings = Recordings(self._thread, trace)
        self.client = httpx.AsyncClient(transport=Bridge(self._thread, self._host.transport), base_url=_BASE_URL)
        _show_responses()
        self._finalizer = weakref.finalize(self, afterwards, self._host.close)

    # -- one request --------------------------------------------------------------------------------------------

    def request(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        """Send one request and wait for its answer; the arguments are those of `httpx.Client.request`.

        Raises:
            whatever the app lets out, with the app's own traceback.
        """
        try:
            return self._thread.call(self._request, method, url, kwargs)
        except BaseException as error:
            # a page of the client's and the transport's frames would hide the line that matters
            error.__traceback__ = from_the_app(error.__traceback__)
            raise

    def get(self, url: str, **kwargs: Any) -> httpx.Response:
        """Send a GET request; see `request`."""
        return self.request("GET", url, **kwargs)

    def post(self, url: str, **kwargs: Any) -> httpx.Response:
        """Send a POST request; see `request`."""
        return self.request("POST", url, **kwargs)

    def put(self, url: str, **kwargs: Any) -> httpx.Response:
        """Send a PUT request; see `request`."""
        return self.request("PUT", url, **kwargs)

    def patch(self, url: str, **kwargs: Any) -> httpx.Response:
        """Send a PATCH request; see `request`."""
        return self.request("PATCH", url, **kwargs)

    def delete(self, url: str, **kwargs: Any) -> httpx.Response:
        """Send a DELETE request; see `request`."""
        return self.request("DELETE", url, **kwargs)

    def head(self, url: str, **kwargs: Any) -> httpx.Response:
        """Send a HEAD request; see `request`."""
        return self.request("HEAD", url, **kwargs)

    def options(self, url: str, **kwargs: Any) -> httpx.Response:
        """Send an OPTIONS request; see `request`."""
        return self.request("OPTIONS", url, **kwargs)

    @contextlib.contextmanager
    def stream(self, method: str, url: str, **kwargs: Any) -> Iterator[httpx.Response]:
        """Send a request and give its response as soon as it begins; read it with `iter_bytes`, `iter_lines` …

        Leaving the block closes the response: an app that is still sending is told that its client has left.
        """
        request = self.client.build_request(method, url, **kwargs)
        opened: list[httpx.Response] = []  # filled on the loop: an interrupted caller would lose a result
        try:
            self._thread.call(self._begin_stream, request, opened)
            yield blocking_response(self._thread, opened[0])
        finally:
            for response in opened:
                self._thread.tidy(response.aclose)

    def websocket(
        self,
        path: str,
        *,
        subprotocols: Iterable[str] = (),
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> BlockingSession:
        """A websocket to the app, open within a `with` block: `send_text`, `receive_json`, `close` … and iteration.

        Args:
            path: the path, with a query string if there is one.
            subprotocols: what the client speaks, the best first.
            headers: what the handshake sends besides its own.
        """
        return self._host.websocket(path, subprotocols, headers)

    # -- experiments --------------------------------------------------------------------------------------------

    def burst(self, request: RequestLike, n: int = 50) -> Run:
        """Send `n` requests at once, wait for all answers, and return the recorded `Run`.

        Args:
            request: see `RequestLike`; a function is called with 0 to `n` - 1.
            n: how many.

        An exception that the app lets out is a response with status 500, and is named in `run.requests`; only a
        `KeyboardInterrupt` or a `SystemExit` ends the run, and is raised. What the network lost is in `run.lost`.

        Raises:
            LabError: `n` is no number from 1, or `request` is none; or another run goes on.
            LabClosed: the lab was closed.
        """
        if type(n) is not int or n < 1:
            raise LabError(f"expected at least one request, got n={n!r}: ask for n=1 or more")
        orders = Orders(request, self.client, self._host)
        prepared = [orders(index) for index in range(n)]
        send = partial(send_at_once, self._host, prepared)
        recorder, responses = self._recordings.make(send, self._keep_broken, self._title)
        return self._keep(recorder, responses, None)

    def load(self, request: RequestLike, rate: float, duration: float, arrivals: Arrivals = "poisson") -> Run:
        """Send requests at a rate, for a while, whether or not earlier ones have been answered, and wait for all.

        Args:
            request: see `RequestLike`; a function is called with 0, 1, 2 …
            rate: requests a second, on average.
            duration: for how many seconds requests are sent, in the lab's time.
            arrivals: `poisson`, as of many people who know nothing of each other, drawn from the lab's seed; or
                `uniform`, evenly spaced.

        Answers are as in `burst`. How far it has got is shown if it takes more than a second.

        Raises:
            LabError: a number cannot be, or `request` is none; or another run goes on.
            LabClosed: the lab was closed.
        """
        moments = planned(rate, duration, arrivals, self._seed)
        orders = Orders(request, self.client, self._host)
        progress = Progress(duration)
        send = partial(send_at, self._host, moments, orders, progress.sent)
        with progress:
            recorder, responses = self._recordings.make(send, self._keep_broken, self._title, progress.show)
        return self._keep(recorder, responses, None)

    def run(self, function: Callable[[], Coroutine[Any, Any, Any]]) -> Run:
        """Await `function()` on the lab's loop and return the recorded `Run`, with its `result`.

        Within it, `await lab.client.get(…)` talks to the app; `responses` holds what came back.

        Raises:
            whatever the function raises.
        """
        check_not_called(function, LabError, "a function that gives a coroutine", "lab.run")
        heard: list[httpx.Response] = []

        async def hear(response: httpx.Response) -> None:
            heard.append(response)

        hooks = self.client.event_hooks["response"]
        hooks.append(hear)
        try:
            recorder, result = self._recordings.make(function, self._keep_broken, self._title)
        finally:
            hooks.remove(hear)
        return self._keep(recorder, heard, result)

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator[Server]:
        """Serve the app on a real socket, by uvicorn, while the block runs; its `url` works in a browser.

        It is the same app on the same loop: what is asked over the socket is in the recording of a run that goes on
        at that time, such as `lab.run(...)` with a client of your own.

        Args:
            port: where to listen on 127.0.0.1; 0 for a free port.
        """
        if self._thread.loop.clock == "virtual":
            raise LabError(
                "expected clock='real' to serve on a socket, got clock='virtual', where no real client can come: make "
                "another Lab(app)"
            )
        server = Server(self._thread, self._host.serveable, port)
        try:
            yield server
        finally:
            server.close()

    def snapshot(self) -> Trace:
        """What has happened so far in the run that goes on: ask for it from another thread, as often as you like.

        The loop is not stopped for it, and each look costs only what is new since the last. Steps, tasks, waits and
        requests that are not over yet are in it as such.

        Raises:
            LabError: no run goes on just now, or the lab does not record.
        """
        return self._recordings.snapshot(self._title)

    def timeline(self) -> "LiveTimeline":
        """A widget that shows whatever run goes on in this lab while it does, and then that run's timeline.

        Show it first, and then make runs: in the same cell, in later ones, or from another thread.

        Raises:
            LabError: the lab does not record.
        """
        self._check_recorded()
        from playground.widgets.live import LiveTimeline

        timeline = LiveTimeline()
        self.follow(timeline)
        return timeline

    def panel(self) -> "Panel":
        """A dashboard: controls for an experiment with this app beside its live timeline, to play with no code.

        It makes its runs on this lab, and where another clock, network or number of threads is chosen, on another of
        the same app, which is started up once more. All of them are kept in `runs`.

        Raises:
            LabError: the lab does not record.
        """
        self._check_recorded()
        from playground.live_bench import panel

        return panel(self)

    def follow(self, follower: Follower) -> None:
        """Have somebody look at the runs of this lab while they go on."""
        self._thread.check_open()
        self._recordings.followers.append(follower)

    def stop(self, after_s: float | None = None) -> None:
        """Break off the run that goes on, as an interrupt of its cell would: for another thread. Else do nothing.

        Args:
            after_s: not now, but whichever run goes on after so many seconds of real time; for who has no other thread.
        """
        self._recordings.stop(after_s)

    def close(self) -> None:
        """Shut the app down, cancel what still runs and end the loop's thread. A closed lab cannot be used again.

        From within, by one of its own handlers or in another lab's virtual time, this is done as soon as the request
        or run that goes on there has been answered; until then the lab is open. May be called twice.
        """
        if self._thread.within:
            if self._finalizer.detach() is not None:
                afterwards(self._host.close, self._thread.loop)
            return
        if self._finalizer.detach() is not None:
            self._host.close()
        catch_up()

    def __enter__(self) -> Self:
        self._thread.check_open()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Lab {'closed' if self._thread.closed else 'open'}: {len(self.runs)} runs>"

    # -- inside ---------------------------------------------------------------------------------------------

    async def _begin_stream(self, request: httpx.Request, opened: list[httpx.Response]) -> None:
        opened.append(await self.client.send(request, stream=True))

    async def _request(self, method: str, url: str, kwargs: dict[str, Any]) -> httpx.Response:
        return await self.client.request(method, url, **kwargs)

    def _check_recorded(self) -> None:
        self._thread.check_open()
        if not self._recordings.wanted:
            raise LabError("expected a lab that records, got trace=False: make it with Lab(app), without trace=False")

    @property
    def _title(self) -> str:
        """What the run is called that goes on, or comes next."""
        return f"Run {len(self.runs) + 1}"

    def _keep_broken(self, recorder: Recorder) -> None:
        """A run that was interrupted, or that failed, is the one whose picture is wanted most."""
        self._keep(recorder, (), None)

    def _keep(self, recorder: Recorder | None, answers: Sequence[Answered | httpx.Response], result: Any) -> Run:
        run = Run(self._title, recorder, answers, result)
        self.runs.append(run)
        self._recordings.kept(lambda: run.trace)
        return run


def _show_responses() -> None:
    """In a notebook, let a response that is a cell's value be readable."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        from playground.notebook import register

        register(shell)
