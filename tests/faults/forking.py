"""Forks this process, again and again, while a lab is open in it: `python -m tests.faults.forking real`.

Writes down, as JSON, what each child and then the parent have said, by scenario. A child ends as a program does, by
leaving all that its parent is in, and has 30 s for it. See `test_fork`.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import playground.clock.borrowed
import playground.clock.preempt
import playground.collecting
import playground.trace.losses
import playground.trace.seams
import playground.trace.threads
from playground import App, Lab
from playground.trace import Clock
from playground.web.websockets import WebSocket
from tests.faults.nothing_left import House, what_is_there

PATIENCE_S: Final = 30
NOBODYS: Final = ("gc.callbacks", "processors", "an alarm is set")
"""What a recording leaves in the child that hears of nothing there, and the alarm of our own."""
LOCKS: Final = (
    *(playground.clock.borrowed._lock, playground.clock.preempt._monitoring._lock, playground.collecting._lock),
    *(playground.trace.losses._lock, playground.trace.seams._lock, playground.trace.threads._lock),
)

app = App()


@app.get("/")
def index() -> str:
    time.sleep(0.001)
    return "here"


@app.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.receive_text()


@app.get("/forks")
def forks() -> str:
    child = multiprocessing.get_context("fork").Process(target=abs, args=[-1])
    child.start()
    child.join()
    return f"exit code {child.exitcode}"


def forked(child: Callable[[], object]) -> list[str]:
    """Fork, and let the child do this and end; gives what it has said, by `print` or else, and how it ended."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE_S)
        os.close(reading)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        try:
            child()
        except BaseException:  # noqa: BLE001 (it is told, and nothing of the parent's is done by its child)
            traceback.print_exc()
        sys.exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        lines = said.read().splitlines()
    _, status = os.waitpid(pid, 0)
    return [*lines, f"ended with {os.waitstatus_to_exitcode(status)}"]


def told(function: Callable[[], object]) -> object:
    """What a function gives or raises, in words that are the same each time."""
    try:
        return function()
    except Exception as error:  # noqa: BLE001 (it is told)
        words = f"{type(error).__name__}: {error}"
        return words.replace(str(os.getppid()), "PARENT").replace(str(os.getpid()), "CHILD")


@contextlib.contextmanager
def recording(lab: Lab) -> Iterator[None]:
    """A run goes on, which another thread waits for."""
    begun = threading.Event()

    async def run() -> None:
        begun.set()
        while True:
            await asyncio.sleep(0.001)

    def ask() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            lab.run(run)

    parent, thread = os.getpid(), threading.Thread(target=ask)
    thread.start()
    begun.wait()
    yield
    if os.getpid() == parent:
        lab.stop()
        thread.join()


@contextlib.contextmanager
def all_locked() -> Iterator[None]:
    """Another thread holds every lock that a child might need."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with contextlib.ExitStack() as stack:
            for lock in LOCKS:
                stack.enter_context(lock)
            held.set()
            over.wait()

    parent, thread = os.getpid(), threading.Thread(target=hold)
    thread.start()
    held.wait()
    yield
    if os.getpid() == parent:
        over.set()
        thread.join()


# -- what children do ------------------------------------------------------------------------------------------------


def uses(lab: Lab) -> None:
    every: list[Callable[[], object]] = [
        *(lambda: lab.get("/"), lambda: lab.burst("/"), lambda: lab.load("/", rate=1, duration=1)),
        *(lambda: lab.run(lambda: asyncio.sleep(0)), lambda: asyncio.run(lab.client.get("/"))),
        *(lab.snapshot, lab.timeline, lab.panel, lab.__enter__),
        *(lambda: lab.stream("GET", "/").__enter__(), lambda: lab.websocket("/socket").__enter__()),
    ]
    print(*{told(use) for use in every}, sep="\n")
    lab.stop()
    lab.close()
    lab.close()


def has(before: House) -> None:
    now = what_is_there().borrowed
    for name in sorted(now.keys() - NOBODYS):
        was = before.borrowed.get(name)
        if not (was is now[name] or was == now[name]):
            print(name)


def makes_its_own() -> None:
    for clock in ("real", "virtual"):
        with Lab(app, clock=clock) as own:
            print(f"{clock}: {own.get('/').text} {len(own.burst('/', n=3).trace.handoffs)}")


def nothing() -> None: ...


# -- what is going on meanwhile --------------------------------------------------------------------------------------


def in_blocks(lab: Lab) -> list[str]:
    with lab.stream("GET", "/") as response, lab.websocket("/socket") as websocket:
        said = forked(nothing)
        websocket.send_text("bye")
        return [*said, response.read().decode()]


def serves(lab: Lab) -> list[str]:
    reading, writing = os.pipe()
    with lab.serve() as server:
        said = [_asked(server.url)]
        pid = os.fork()
        if pid == 0:
            signal.alarm(PATIENCE_S)
            server.close()
            os.read(reading, 1)
            sys.exit(0)
    said.append(_asked(server.url))  # if the child listened still, this would wait for it
    os.write(writing, b"1")
    os.close(reading)
    os.close(writing)
    return [*said, f"ended with {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}"]


def _asked(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
            return cast(str, response.read().decode())
    except urllib.error.URLError as error:
        return type(error.reason).__name__


def pool() -> list[str]:
    with multiprocessing.get_context("fork").Pool(2) as workers:
        return [str(workers.map(abs, [-1, -2, -3]))]


def scenarios(lab: Lab, before: House) -> dict[str, Callable[[], list[str]]]:
    found: dict[str, Callable[[], list[str]]] = {
        "uses": lambda: forked(lambda: uses(lab)),
        "ends": lambda: forked(nothing),
        "has": lambda: forked(lambda: has(before)),
        "makes its own": lambda: forked(makes_its_own),
        "pool": pool,
    }
    every = {f"{name}, idle": scenario for name, scenario in found.items()}
    every |= {f"{name}, recording": _while(lambda: recording(lab), scenario) for name, scenario in found.items()}
    every["locked"] = _while(all_locked, lambda: forked(makes_its_own))
    every["in blocks"] = lambda: in_blocks(lab)
    every["handler"] = lambda: [str(told(lambda: lab.get("/forks").text))]
    if lab.made_with["clock"] == "real":
        every["serves"] = lambda: serves(lab)
    return every


def _while(goes_on: Callable[[], Any], scenario: Callable[[], list[str]]) -> Callable[[], list[str]]:
    def both() -> list[str]:
        with goes_on():
            return scenario()

    return both


def main(clock: Clock) -> None:
    warnings.simplefilter("ignore", DeprecationWarning)  # of a fork with threads: that is what this is about
    before = what_is_there()
    lab = Lab(app, clock=clock)
    found: dict[str, list[str]] = {}
    for name, scenario in scenarios(lab, before).items():
        said = scenario()
        found[name] = [*said, f"{lab.get('/').text} {len(lab.burst('/', n=3).trace.handoffs)}"]
    lab.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(cast(Clock, sys.argv[1]))
