"""Ask one app as fast as it answers, with so many clients at a time, and note how long each had to wait.

A client sends its next request when it has the answer to its last; a request's time begins when the client sends it,
not when the app gets round to it, or an app that holds up its loop would seem quick, and ends with the last piece of
the answer. There is no server and no socket: apps are called by ASGI and WSGI as a server would call them, with a task
or a thread for each request.
"""

import asyncio
import functools
import gc
import io
import sys
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Asked", "ask_asgi", "ask_wsgi"]

_HOST: Final = "benchmark"


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking an app for a while.

    Attributes:
        wall_ns: from the first request to the last answer.
        cpu_ns: processor time of the whole process meanwhile, the clients' own included.
        latencies_ns: of each request, from its sending to its answer.
    """

    wall_ns: int
    cpu_ns: int
    latencies_ns: list[int]


class _Clock:
    """When a round began, when nobody shall send any more, and what it cost."""

    def __init__(self, seconds: float) -> None:
        gc.collect()  # or it would pay for what the one before left behind
        self.latencies_ns: list[int] = []
        self._cpu_ns = time.process_time_ns()
        self.began_ns = time.perf_counter_ns()
        self.until_ns = self.began_ns + round(seconds * 1e9)

    def stop(self) -> Asked:
        wall_ns = time.perf_counter_ns() - self.began_ns
        return Asked(wall_ns, time.process_time_ns() - self._cpu_ns, self.latencies_ns)


# -- ASGI -----------------------------------------------------------------------------------------------------


async def ask_asgi(app: Any, path: str, *, seconds: float, at_once: int) -> Asked:
    """Ask an ASGI app on the running loop: a task a request, as servers have it.

    Args:
        app, path: whom, and for what.
        seconds: for how long requests are sent; all are waited for.
        at_once: how many clients there are.

    Raises:
        RuntimeError: an answer that is not 200.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    clock = _Clock(seconds)
    out = at_once

    def send(sent_ns: int) -> None:
        loop.create_task(_asgi_request(app, path)).add_done_callback(functools.partial(answered, sent_ns))

    def answered(sent_ns: int, task: "asyncio.Task[int]") -> None:
        nonlocal out
        error = _failure(task, path)
        if over.done():  # another has failed
            return
        if error is not None:
            over.set_exception(error)
            return
        answered_ns = task.result()
        clock.latencies_ns.append(answered_ns - sent_ns)
        if answered_ns < clock.until_ns:
            send(answered_ns)
            return
        out -= 1
        if not out:
            over.set_result(None)

    for _ in range(at_once):
        send(clock.began_ns)
    await over
    return clock.stop()


def _failure(task: "asyncio.Task[int]", path: str) -> BaseException | None:
    if task.cancelled():
        return RuntimeError(f"expected the answer 200 to GET {path}, but the app was cancelled")
    return task.exception()


async def _asgi_request(app: Any, path: str) -> int:
    """One request; returns when the last piece of its answer was sent."""
    statuses: list[int] = []
    asked, answered_ns = False, 0
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await over  # the client stays until it has its answer; Quart waits for its leaving then
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal answered_ns
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
        elif not message.get("more_body", False):
            answered_ns = time.perf_counter_ns()
            if not over.done():
                over.set_result(None)

    await app(_scope(path), receive, send)
    if statuses != [200] or not answered_ns:
        raise RuntimeError(f"expected the answer 200 to GET {path}, got {statuses}{'' if answered_ns else ', unended'}")
    return answered_ns


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", _HOST.encode()), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 5000),
        "server": (_HOST, 80),
        "state": {},
        "extensions": {},
    }


# -- WSGI -----------------------------------------------------------------------------------------------------


def ask_wsgi(app: Any, path: str, pool: ThreadPoolExecutor, workers: int, *, seconds: float, at_once: int) -> Asked:
    """Ask a WSGI app in the workers of a pool, which are green ones where gevent has patched the process.

    Args:
        app, path: whom, and for what.
        pool, workers: whose threads take the requests, in the order of their sending, and how many.
        seconds, at_once: as for `ask_asgi`.

    Raises:
        RuntimeError: an answer that is not 200.
    """
    clock = _Clock(seconds)
    waiting = deque([clock.began_ns] * at_once)  # when each was sent

    def serve() -> None:
        while waiting:
            try:
                sent_ns = waiting.popleft()
            except IndexError:  # another was quicker
                return
            _wsgi_request(app, path)
            now_ns = time.perf_counter_ns()
            clock.latencies_ns.append(now_ns - sent_ns)
            if now_ns < clock.until_ns:
                waiting.append(now_ns)

    for each in [pool.submit(serve) for _ in range(workers)]:
        each.result()
    return clock.stop()


def _wsgi_request(app: Any, path: str) -> None:
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        statuses.append(status)
        return lambda data: None

    pieces = app(_environ(path), start_response)
    try:
        b"".join(pieces)
    finally:
        if (close := getattr(pieces, "close", None)) is not None:
            close()
    if [status[:3] for status in statuses] != ["200"]:
        raise RuntimeError(f"expected the answer 200 to GET {path}, got {statuses}")


def _environ(path: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": _HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": _HOST,
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
