"""Probes of AsyncViz: it runs the program by its own command, in a process of its own, and is asked by its own API.

The answers are those of its dashboard's endpoints. All are had in one run, for it takes some seconds.
"""

import functools
import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx

from tests.benchmarks.probes import program

__all__: list[str] = []

_BLOCK_S: Final = 1.5
"""Its threshold for a freeze is a second."""
_ASKED: Final = {
    "tasks": "/api/runtime/tasks",
    "timeline": "/api/runtime/timeline",
    "events": "/api/runtime/replay/range?start=0&end=4000",
    "warnings": "/api/runtime/warnings",
    "queues": "/api/queues/metrics",
    "executors": "/api/executor",
}


def target(port: int, out: str) -> None:
    """What runs under AsyncViz: the program twice, first before and then after the loop was blocked; and the asking."""
    import asyncio

    async def both() -> None:
        await program.main()
        await asyncio.sleep(0.3)
        await program.blocking(_BLOCK_S)
        await asyncio.sleep(0.5)

    asyncio.run(both())
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base, timeout=30) as client:
        answers = {name: client.get(path).json() for name, path in _ASKED.items()}
        answers["page"] = client.get("/").headers["content-type"]
    Path(out).write_text(json.dumps(answers))


@functools.cache
def answers() -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        out, script = Path(folder) / "answers.json", Path(folder) / "script.py"
        script.write_text(f"from tests.benchmarks.probes.asyncviz import target\ntarget({port}, {str(out)!r})\n")
        command = [sys.executable, "-m", "asyncviz", "run", "--port", str(port), "--browser", "never", "-q"]
        subprocess.run([*command, str(script)], capture_output=True, check=True, timeout=120)
        found: dict[str, Any] = json.loads(out.read_text())
    return found


def _coroutines() -> set[str]:
    return {task["coroutine_name"] for task in answers()["tasks"]["tasks"]}


def tasks() -> bool:
    return "alone" in _coroutines()


def tasks_of_a_group() -> bool:
    return bool({"child", "waits_for", "elsewhere"} & _coroutines())


def steps() -> bool:
    """A span that has segments would be one that tells when its task ran."""
    spans = [span for track in answers()["timeline"]["tracks"] for span in track["spans"]]
    return any(span["segment_count"] for span in spans if span["coroutine_name"] == "alone")


def wakers() -> bool:
    return "wak" in json.dumps(sorted({event["event_type"] for event in answers()["events"]["window"]["frames"]}))


def asyncio_handoffs() -> bool:
    return bool(answers()["executors"]["metrics"]["work_items_submitted"] >= 1)


def anyio_handoffs() -> bool:
    return bool(answers()["executors"]["metrics"]["work_items_submitted"] >= 2)


def queues() -> bool:
    return any(queue["throughput"]["nowait_put_count"] >= program.QUEUED for queue in answers()["queues"]["queues"])


def function_calls() -> bool:
    return "called" in json.dumps(answers()["events"])


def live() -> bool:
    return bool(answers()["page"].startswith("text/html"))


def diagnosis() -> bool:
    return any(warning["warning_type"] == "blocking_violation" for warning in answers()["warnings"]["active"])


def blocking_line() -> bool:
    """Whether a warning, or the stack that was taken for it, names the file that blocked."""
    captured = [each for each in answers()["events"]["window"]["frames"] if "stack_capture" in each["event_type"]]
    return "program.py" in json.dumps([answers()["warnings"], captured])


def script() -> bool:
    return bool(answers())
