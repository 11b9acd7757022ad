"""Probes of AsyncFlow, VizTracer and looptime, and of what the packages say of Python 3.11.

Each is imported by its own probes, for not every Python has it.
"""

import asyncio
import functools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import trio

from tests.benchmarks.probes import program
from tests.benchmarks.probes.helpers import HOUR_S, said_of_a_script, slept_s, supports_python_311, thread_slept_s

# -- AsyncFlow -----------------------------------------------------------------------------------------------------


@functools.cache
def flow_events() -> list[dict[str, Any]]:
    from wigglystuff import AsyncFlow  # type: ignore[import-not-found, unused-ignore]  # from Python 3.12 on

    flow = AsyncFlow()
    asyncio.run(flow.run(program.main(), poll_ms=1000))
    return list(flow.events)


def flow_tasks() -> bool:
    spawned = {event["coro"]: event["detail"] for event in flow_events() if event["event"] == "SPAWN"}
    return {"child", "waits_for"} <= spawned.keys() and spawned["child"].startswith("by ")


def flow_tasks_of_other_files() -> bool:
    return "elsewhere" in {event["coro"] for event in flow_events()}


def flow_steps() -> bool:
    suspended = [event for event in flow_events() if (event["coro"], event["event"]) == ("child", "SUSPEND")]
    return len(suspended) == program.STEPS - 1


def flow_wakers() -> bool:
    return any(event["detail"] for event in flow_events() if event["event"] == "RESUME")


def flow_handoffs() -> bool:
    return "handed" in json.dumps(flow_events())


def flow_function_calls() -> bool:
    return "called" in {event["coro"] for event in flow_events()}


def flow_trio() -> bool:
    from wigglystuff import AsyncFlow

    shown = program.on_any_library()
    try:
        trio.run(AsyncFlow().run, shown)
    except RuntimeError:  # no running event loop: it looks for asyncio's
        shown.close()
        return False
    return True


def flow_live() -> bool:
    """It sends its events while the coroutine still runs."""
    from wigglystuff import AsyncFlow

    flow, seen = AsyncFlow(), []

    async def main() -> None:
        await asyncio.sleep(0.2)
        seen.append(len(flow.events))

    asyncio.run(flow.run(main(), poll_ms=20))
    return seen[0] > 0


# -- VizTracer -----------------------------------------------------------------------------------------------------


@functools.cache
def viz_events() -> list[dict[str, Any]]:
    from viztracer import VizTracer  # type: ignore[import-untyped, unused-ignore]

    tracer = VizTracer(verbose=0, log_async=True)
    with tempfile.TemporaryDirectory() as folder:
        tracer.start()
        asyncio.run(program.main())
        tracer.stop()
        tracer.save(str(path := Path(folder) / "program.json"))
        events: list[dict[str, Any]] = json.loads(path.read_text())["traceEvents"]
    tracer.terminate()
    return events


def _viz_calls(name: str) -> list[dict[str, Any]]:
    return [event for event in viz_events() if event["ph"] == "X" and event["name"].split(" ")[0] == name]


def viz_tasks() -> bool:
    named = [event for event in viz_events() if event["name"] == "thread_name"]
    return "the child" in json.dumps(named)


def viz_steps() -> bool:
    return len(_viz_calls("child")) == program.STEPS


def viz_wakers() -> bool:
    """An arrow from one slice to another would be a flow event."""
    return any(event["ph"] in "stf" for event in viz_events())


def viz_threads() -> bool:
    """What is handed over is seen in the worker's thread."""
    loop = {event["tid"] for event in _viz_calls("main")}
    return len([event for event in _viz_calls("handed") if event["tid"] not in loop]) == 2


def viz_function_calls() -> bool:
    return len(_viz_calls("called")) == 1


def viz_c_functions() -> bool:
    return len(_viz_calls("builtins.sum")) + len(_viz_calls("sum")) >= 1


def viz_trio() -> bool:
    from viztracer import VizTracer

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.json"
        with VizTracer(verbose=0, output_file=str(path)):
            trio.run(program.on_any_library)
        return "on_any_library" in path.read_text()


def viz_saved() -> bool:
    """Its file is the format that Perfetto reads."""
    return len(viz_events()) > 0


def viz_page() -> bool:
    from viztracer import VizTracer

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.html"
        with VizTracer(verbose=0, output_file=str(path)):
            program.called()
        return "<html" in path.read_text()


def viz_script() -> bool:
    return "result.json" in said_of_a_script(["viztracer"])


# -- looptime --------------------------------------------------------------------------------------------------------


def looptime_virtual_time() -> bool:
    import looptime  # type: ignore[import-not-found, unused-ignore]  # no dependency of ours

    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return bool(abs(runner.run(slept_s(HOUR_S)) - HOUR_S) < 1)


def looptime_virtual_time_in_threads() -> bool:
    """A worker that sleeps for a second must take a second of the loop's time, and none of ours."""
    import looptime

    began_s = time.monotonic()
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        slept_s = runner.run(thread_slept_s(0.5))
    return bool(abs(slept_s - 0.5) < 0.1 and time.monotonic() - began_s < 0.4)


# -- what they need ------------------------------------------------------------------------------------------------

starlette_python = functools.partial(supports_python_311, "starlette")
httpx_python = functools.partial(supports_python_311, "httpx")
asyncviz_python = functools.partial(supports_python_311, "asyncviz")
viz_python = functools.partial(supports_python_311, "viztracer")
looptime_python = functools.partial(supports_python_311, "looptime")
