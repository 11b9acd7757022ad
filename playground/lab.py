"""The lab: one app, an event loop to run it on, requests to send it, and a recording of what happened.

A `Lab` joins what knows nothing of one another: the app, the transport that calls it, the loop that runs it
and the recorder that watches the loop. It decides what is recorded and when; how to record, to send or to draw
is decided elsewhere.
"""

import asyncio
import inspect
import logging
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import anyio.to_thread
import httpx

from playground.asgi import ASGIApp, Scope
from playground.bridge import Bridge
from playground.clock.thread import LoopThread
from playground.errors import LabError
from playground.run import Run
from playground.trace import Clock
from playground.trace.recorder import Recorder, recording
from playground.trace.requests import recorded_app
from playground.trace.sites import is_own
from playground.transport import Answer, ASGITransport, Exchange, http_scope

T = TypeVar("T")

__all__ = ["Lab", "RequestLike"]

RequestLike = str | httpx.Request | Callable[[int], "str | httpx.Request"]
"""A path, a `"POST /path"` string, an `httpx.Request`, or a function of the index that returns one of these."""

log = logging.getLogger("playground.lab")

_BASE_URL: Final = "http://lab"
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", "TRACE"})
_SERVER_ERROR: Final = Answer(
    500,
    [(b"content-type", b"text/plain; charset=utf-8")],
    b"Internal Server Error",
    trailers=[],
    early_hints=[],
    debug=[],
)
"""What a server says in place of an app that failed before it answered."""


class Lab:
    """An app under observation, on an event loop of its own.

    Args:
        app: an ASGI app.
        clock: what time is; `real` is the only clock so far.
        threads: how many worker threads may run at once; anyio's limit, whose default is 40 too.
        trace: whether runs are recorded.

    The methods block and are meant for a notebook's cells; `client` is for `await`, from any loop. A lab is a
    context manager, and is also closed when it is garbage-collected or when the process ends.
    """

    def __init__(self, app: ASGIApp, *, clock: Clock = "real", threads: int = 40, trace: bool = True) -> None:
        _check_app(app)
        if clock != "real":
            raise LabError(f"expected clock='real', got {clock!r}: this release has no other clock yet")
        if type(threads) is not int or threads < 1:
            raise LabError(f"expected at least one thread, got {threads!r}: plain def handlers need a thread to run in")
        self.app = app
        self.runs: list[Run] = []
        self._trace = trace
        self._busy = threading.Lock()
        self._thread = LoopThread("playground lab", _limit_threads(threads))
        loop = self._thread.loop
        self._watched = recorded_app(app, lambda: loop.recorder)  # type: ignore[arg-type, return-value]
        # like a server's client, ours has its response before the app's background tasks are done
        transport = Bridge(self._thread, ASGITransport(self._watched, wait_for_app=False))
        self.client = httpx.AsyncClient(transport=transport, base_url=_BASE_URL)
        self._finalizer = weakref.finalize(self, _close, self._thread)

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
            error.__traceback__ = _from_the_app(error.__traceback__)
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

    # -- experiments --------------------------------------------------------------------------------------------

    def burst(self, request: RequestLike, n: int = 50) -> Run:
        """Send `n` requests at once, wait for all answers, and return the recorded `Run`.

        Args:
            request: see `RequestLike`; a function is called with 0 to `n` - 1.
            n: how many.

        An exception that the app lets out is a response with status 500, and is named in `run.requests`.
        """
        if type(n) is not int or n < 1:
            raise LabError(f"expected at least one request, got n={n!r}: ask for n=1 or more")
        requests = [self._build_request(request, index) for index in range(n)]

        async def burst() -> list[httpx.Response]:
            async with asyncio.TaskGroup() as group:
                began = time.perf_counter()
                tasks = [
                    group.create_task(self._exchange(request, began), name=f"{request.method} {request.url.path}")
                    for request in requests
                ]
            return [task.result() for task in tasks]

        recorder, responses = self._experiment(burst)
        return self._keep(recorder, responses, None)

    def run(self, function: Callable[[], Coroutine[Any, Any, Any]]) -> Run:
        """Await `function()` on the lab's loop and return the recorded `Run`, with its `result`.

        Within it, `await lab.client.get(…)` talks to the app; `responses` holds what came back.

        Raises:
            whatever the function raises.
        """
        _check_function(function)
        heard: list[httpx.Response] = []

        async def hear(response: httpx.Response) -> None:
            heard.append(response)

        hooks = self.client.event_hooks["response"]
        hooks.append(hear)
        try:
            recorder, result = self._experiment(function)
        finally:
            hooks.remove(hear)
        return self._keep(recorder, heard, result)

    def close(self) -> None:
        """Cancel what still runs and end the loop's thread. A closed lab cannot be used again."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._thread.closed else "open"
        return f"<Lab {state}: {len(self.runs)} runs>"

    # -- inside ---------------------------------------------------------------------------------------------

    async def _request(self, method: str, url: str, kwargs: dict[str, Any]) -> httpx.Response:
        return await self.client.request(method, url, **kwargs)

    def _experiment(self, function: Callable[[], Coroutine[Any, Any, T]]) -> tuple[Recorder | None, T]:
        """Await `function()` on the lab's loop, recorded."""
        if not self._busy.acquire(blocking=False):
            raise LabError(
                "expected one run at a time, got a second while the first goes on: wait for it, or make a second Lab"
            )
        begun = threading.Event()
        try:
            return self._thread.call(self._record, function, begun)
        finally:
            if not begun.is_set():
                self._busy.release()

    async def _record(
        self, function: Callable[[], Coroutine[Any, Any, T]], begun: threading.Event
    ) -> tuple[Recorder | None, T]:
        begun.set()
        try:
            if not self._trace:
                return None, await function()
            with recording(self._thread.loop) as recorder:
                # in a task of its own, what it does is recorded from its first step on
                result = await asyncio.create_task(function(), name="experiment")
            return recorder, result
        finally:
            # here and not by the caller, who may have been interrupted long before this has unwound
            self._busy.release()

    def _keep(self, recorder: Recorder | None, responses: list[httpx.Response], result: Any) -> Run:
        run = Run(f"Run {len(self.runs) + 1}", recorder, responses, result)
        self.runs.append(run)
        return run

    def _build_request(self, request: RequestLike, index: int) -> httpx.Request:
        made = _call(request, index) if callable(request) else request
        if isinstance(made, httpx.Request):
            return made
        if not isinstance(made, str):
            raise LabError(
                f"expected a path, a 'POST /path' string or an httpx.Request, got {type(made).__name__}: "
                "give one of these, or a function of the index that returns one"
            )
        method, _, url = made.partition(" ")
        if method not in _METHODS:
            method, url = "GET", made
        return self.client.build_request(method, url)

    async def _exchange(self, request: httpx.Request, began: float) -> httpx.Response:
        """One request and its whole answer, without a client's layers: no redirects, cookies or auth.

        `elapsed` lasts from when it was sent (`began`, by `time.perf_counter`) until the app is done with it,
        background tasks included.
        """
        exchange = Exchange(self._watched, _scope(request), _body(request))
        try:
            answer = await exchange.complete()
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # it is the burst that is being cancelled, and not the app that raised this
            if not self._trace:
                log.error("%s %s: the app raised this.", request.method, request.url.path, exc_info=error)
            answer = exchange.reply.answer() if exchange.reply.complete else _SERVER_ERROR
        response = httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)
        response.elapsed = timedelta(seconds=time.perf_counter() - began)
        return response


def _check_app(app: Any) -> None:
    if not callable(app):
        raise LabError(f"expected an ASGI app, which is callable, got {type(app).__name__}: pass the app itself")
    if isinstance(app, type):
        raise LabError(
            f"expected an ASGI app, got the class {app.__name__}: make an app of it, as in Lab({app.__name__}())"
        )
    called = app if inspect.isroutine(app) else app.__call__
    try:
        inspect.signature(called).bind("scope", "receive", "send")
    except TypeError:
        raise LabError(
            "expected an ASGI app, which takes scope, receive and send, "
            f"got one that takes {inspect.signature(called)}: "
            "pass an ASGI app; one for WSGI takes (environ, start_response)"
        ) from None
    except ValueError:
        pass  # written in C, without a signature: what it takes is seen when it is called


def _check_function(function: object) -> None:
    if callable(function):
        return
    if inspect.iscoroutine(function):
        function.close()  # or Python would warn that it was never awaited
    raise LabError(
        f"expected a function that gives a coroutine, got {type(function).__name__}: "
        "pass the function itself, as in lab.run(main) and not lab.run(main())"
    )


def _call(request: Callable[[int], str | httpx.Request], index: int) -> str | httpx.Request:
    try:
        inspect.signature(request).bind(index)
    except TypeError:
        raise LabError(
            f"expected a function of the request's index, got one that takes {inspect.signature(request)}: "
            "write it as lambda index: ..."
        ) from None
    return request(index)


def _scope(request: httpx.Request) -> Scope:
    url = request.url
    return http_scope(
        request.method, url.raw_path, request.headers.raw, scheme=url.scheme, host=url.host, port=url.port
    )


def _body(request: httpx.Request) -> Any:
    try:
        return request.content
    except httpx.RequestNotRead:
        return request.stream


def _from_the_app(traceback: TracebackType | None) -> TracebackType | None:
    """The part of a traceback from the first frame that is the app's own code; all of it if there is none."""
    found = traceback
    while found is not None and not is_own(found.tb_frame.f_code.co_filename):
        found = found.tb_next
    return found or traceback


def _limit_threads(threads: int) -> Callable[[], None]:
    def limit() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = threads

    return limit


def _close(thread: LoopThread) -> None:
    """Not a method: the finalizer must not keep the lab alive."""
    thread.close()
