"""Probes of this project as a recorder and as a clock: each shows it the same program and tells what it saw of it.

As a client it is probed beside the other clients, in `clients`.
"""

import asyncio
import functools
import inspect
import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from playground import App, Lab, Trace, Workload, experiment, watch
from playground.widgets.live import LiveTimeline
from tests.benchmarks.probes import program
from tests.benchmarks.probes.helpers import HOUR_S, said_of_a_script, slept_s, thread_slept_s


@functools.cache
def watched() -> Trace:
    return watch(program.main)


def tasks() -> bool:
    tasks = {task.name: task for task in watched().tasks}
    parent = tasks["the child"].parent
    return {"the child", "the waiter", "the stranger"} <= tasks.keys() and parent is not None


def steps() -> bool:
    trace = watched()
    child = next(number for number, task in enumerate(trace.tasks) if task.name == "the child")
    return len([step for step in trace.steps if step.task == child]) == program.STEPS


def wakers() -> bool:
    trace = watched()
    waiter = next(number for number, task in enumerate(trace.tasks) if task.name == "the waiter")
    last = [step for step in trace.steps if step.task == waiter][-1]
    return last.woken_by is not None and trace.tasks[trace.steps[last.woken_by].task or 0].coroutine == "main"


def handoffs() -> bool:
    return [handoff.function for handoff in watched().handoffs] == ["handed"] * 2


def queues() -> bool:
    """How full a queue is, no recording tells; who waits for one, it does."""
    return hasattr(watched(), "queues")


def function_calls() -> bool:
    functions = {step.site.function for step in watched().steps if step.site is not None}
    return "called" in functions


def c_functions() -> bool:
    functions = {step.site.function for step in watched().steps if step.site is not None}
    return "sum" in functions


def messages() -> bool:
    app = App()
    app.get("/")(lambda: "yes")
    with Lab(app) as lab:
        (request,) = lab.burst("/", n=1).requests
    return [message.type for message in request.messages][-2:] == ["http.response.start", "http.response.body"]


def interpreter_lock() -> bool:
    run = experiment(Workload(jobs=4, cpu_s=0.05, wait_s=0), models=["threads"])["threads"]
    return run.gil_share is not None and run.gil_share > 0


def on_trio() -> bool:
    trace = watch(program.on_any_library, backend="trio")
    return [task.name for task in trace.tasks].count("anyio.sleep") == 2


def live() -> bool:
    heard: list[str] = []

    class Page(LiveTimeline):
        def send(self, content: Any, buffers: Any = None) -> None:
            heard.append(content["type"])

    page = Page()
    page._handle_custom_msg({"type": "ready", "view": "probe"}, [])

    async def until_told() -> None:
        async with asyncio.timeout(60):
            while "more" not in heard:
                await asyncio.sleep(0.01)

    with Lab(App()) as lab:
        lab.follow(page)
        lab.run(until_told)
    page.close()
    return True


def diagnosis() -> bool:
    _, line = inspect.getsourcelines(program.blocking)
    said = [str(finding) for finding in watch(program.blocking).diagnosis]
    return any(f"probes/program.py, line {line + 2}" in sentence for sentence in said)


def saved() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        watched().save(path := Path(folder) / "program.trace")
        return str(Trace.load(path)) == str(watched())


def perfetto() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        watched().to_chrome(path := Path(folder) / "program.json")
        return len(json.loads(path.read_text())["traceEvents"]) > 0


def page() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        watched().to_html(path := Path(folder) / "program.html")
        return "<html" in path.read_text()


def script() -> bool:
    return "1 task" in said_of_a_script(["playground", "watch"])


# -- time ----------------------------------------------------------------------------------------------------------


def virtual_time() -> bool:
    with Lab(App(), clock="virtual") as lab:
        return bool(lab.run(lambda: slept_s(HOUR_S)).result == HOUR_S)


def virtual_time_in_threads() -> bool:
    with Lab(App(), clock="virtual") as lab:
        return bool(lab.run(lambda: thread_slept_s(HOUR_S)).result == HOUR_S)


def python_311() -> bool:
    """By what stands in the project's own file: it need not be installed to be tried."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    return SpecifierSet(project["requires-python"]).contains("3.11.0")
