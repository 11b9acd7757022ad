"""What this project and its peers can do: a row a feature, a cell a peer, each with what shows that it is true.

A cell is a word or two for README, and says by a probe (which does the thing, and tells whether it worked) or by the
peer's own documentation whether the peer can. A dash stands where the thing is not what the peer is for, which is no
fault of it. The rows were chosen so that each peer has some in which it is ahead of this project.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.benchmarks.probes import asyncviz, others, ours
from tests.benchmarks.probes import clients as client

__all__ = ["FEATURES", "PEERS", "Cell", "Feature", "matrix"]

PEERS: Final = {
    "playground": "playground",
    "TestClient": "starlette",
    "ASGITransport": "httpx",
    "AsyncViz": "asyncviz",
    "AsyncFlow": "wigglystuff",
    "VizTracer": "viztracer",
    "looptime": "looptime",
}
"""The columns, and the package that each needs."""

Probe = Callable[[], bool]


@dataclass(frozen=True)
class Cell:
    """What a peer can do.

    Attributes:
        says: what the table says.
        probes: what is done to see it, each with what must come of it.
        cites: where the peer's documentation says it, if nothing is done.
    """

    says: str
    probes: tuple[tuple[Probe, bool], ...] = ()
    cites: str = ""


@dataclass(frozen=True)
class Feature:
    """A row: what it is, and its cells by peer; a peer without one has a dash."""

    name: str
    cells: Mapping[str, Cell]


def _yes(probe: Probe, says: str = "yes") -> Cell:
    return Cell(says, ((probe, True),))


def _no(probe: Probe, says: str = "no") -> Cell:
    return Cell(says, ((probe, False),))


def _partly(says: str, can: Probe, cannot: Probe) -> Cell:
    return Cell(says, ((can, True), (cannot, False)))


def _cited(says: str, where: str) -> Cell:
    return Cell(says, cites=where)


_VIZ: Final = "https://viztracer.readthedocs.io"
_AV: Final = "https://github.com/geghamjivanyan/asyncviz"
_FLOW: Final = "https://koaning.github.io/wigglystuff/reference/async-flow/"
_LOOPTIME: Final = "https://looptime.readthedocs.io"
_OURS: Final = "README.md"

FEATURES: Final = (
    Feature(
        "calls an app with no server and no port",
        {
            "playground": _yes(client.lab_without_a_server),
            "TestClient": _yes(client.testclient_without_a_server),
            "ASGITransport": _yes(client.httpx_without_a_server),
        },
    ),
    Feature(
        "reads a response while the app still sends it",
        {
            "playground": _yes(client.lab_streams_out),
            "TestClient": _yes(client.testclient_streams_out),
            "ASGITransport": _no(client.httpx_streams_out),
        },
    ),
    Feature(
        "sends a body while the app already reads it",
        {
            "playground": _yes(client.lab_streams_in),
            "TestClient": _no(client.testclient_streams_in),
            "ASGITransport": _yes(client.httpx_streams_in),
        },
    ),
    Feature(
        "websockets",
        {
            "playground": _yes(client.lab_websocket),
            "TestClient": _yes(client.testclient_websocket),
            "ASGITransport": _no(client.httpx_websocket),
        },
    ),
    Feature(
        "lifespan",
        {
            "playground": _yes(client.lab_lifespan),
            "TestClient": _yes(client.testclient_lifespan),
            "ASGITransport": _no(client.httpx_lifespan),
        },
    ),
    Feature(
        "WSGI apps",
        {
            "playground": _yes(client.lab_wsgi),
            "TestClient": _no(client.testclient_wsgi),
            "ASGITransport": _yes(client.httpx_wsgi, "its `WSGITransport`"),
        },
    ),
    Feature(
        "runs the app on trio",
        {
            "playground": _yes(client.ours_on_trio, "its transport"),
            "TestClient": _yes(client.testclient_on_trio),
            "ASGITransport": _yes(client.httpx_on_trio),
        },
    ),
    Feature(
        "an hour's sleep passes at once",
        {
            "playground": _yes(ours.virtual_time),
            "looptime": _yes(others.looptime_virtual_time),
        },
    ),
    Feature(
        "… in worker threads too",
        {
            "playground": _yes(ours.virtual_time_in_threads),
            "looptime": _no(others.looptime_virtual_time_in_threads),
        },
    ),
    Feature(
        "… in tests that exist, by an option of pytest",
        {
            "playground": _cited("no", f"{_OURS}: the fixture `lab` and the marker `virtual_clock`"),
            "looptime": _cited("yes", f"{_LOOPTIME}: `pytest --looptime`"),
        },
    ),
    Feature(
        "tasks, and who made them",
        {
            "playground": _yes(ours.tasks),
            "AsyncViz": _partly("not a `TaskGroup`'s", asyncviz.tasks, asyncviz.tasks_of_a_group),
            "AsyncFlow": _partly("of chosen files", others.flow_tasks, others.flow_tasks_of_other_files),
            "VizTracer": _yes(others.viz_tasks, "tasks"),
        },
    ),
    Feature(
        "each step of a task",
        {
            "playground": _yes(ours.steps),
            "AsyncViz": _no(asyncviz.steps),
            "AsyncFlow": _yes(others.flow_steps),
            "VizTracer": _yes(others.viz_steps),
        },
    ),
    Feature(
        "which step woke which",
        {
            "playground": _yes(ours.wakers),
            "AsyncViz": _no(asyncviz.wakers),
            "AsyncFlow": _no(others.flow_wakers),
            "VizTracer": _no(others.viz_wakers),
        },
    ),
    Feature(
        "hand-offs to worker threads",
        {
            "playground": _yes(ours.handoffs),
            "AsyncViz": _partly("asyncio's, not anyio's", asyncviz.asyncio_handoffs, asyncviz.anyio_handoffs),
            "AsyncFlow": _no(others.flow_handoffs),
            "VizTracer": _partly("the calls only", others.viz_threads, others.viz_wakers),
        },
    ),
    Feature(
        "ASGI messages and layers of a request",
        {
            "playground": _yes(ours.messages),
            "AsyncViz": _cited("no", f"{_AV}#features"),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _cited("no", f"{_VIZ}/en/stable/basic_usage.html"),
        },
    ),
    Feature(
        "waits for the interpreter's lock",
        {
            "playground": _yes(ours.interpreter_lock, "in experiments"),
            "AsyncViz": _cited("no", f"{_AV}#features"),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _cited("no", f"{_VIZ}/en/stable/basic_usage.html"),
        },
    ),
    Feature(
        "how full queues are",
        {
            "playground": _no(ours.queues),
            "AsyncViz": _yes(asyncviz.queues),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _cited("no", f"{_VIZ}/en/stable/basic_usage.html"),
        },
    ),
    Feature(
        "every call of a Python function",
        {
            "playground": _no(ours.function_calls),
            "AsyncViz": _no(asyncviz.function_calls),
            "AsyncFlow": _no(others.flow_function_calls),
            "VizTracer": _yes(others.viz_function_calls),
        },
    ),
    Feature(
        "calls of C functions",
        {
            "playground": _no(ours.c_functions),
            "AsyncViz": _no(asyncviz.function_calls),
            "AsyncFlow": _no(others.flow_function_calls),
            "VizTracer": _yes(others.viz_c_functions),
        },
    ),
    Feature(
        "native stacks, other languages",
        {
            "playground": _cited("no", _OURS),
            "AsyncViz": _cited("no", f"{_AV}#features"),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _cited("PyTorch's", f"{_VIZ}: `--log_torch`"),
        },
    ),
    Feature(
        "any Python program, also many processes",
        {
            "playground": _cited("event loops", f"{_OURS}: `watch`"),
            "AsyncViz": _cited("asyncio", f"{_AV}#quick-start"),
            "AsyncFlow": _cited("one coroutine", _FLOW),
            "VizTracer": _cited("yes", f"{_VIZ}/en/stable/concurrency.html"),
        },
    ),
    Feature(
        "a process that runs already",
        {
            "playground": _cited("no", _OURS),
            "AsyncViz": _cited("no", f"{_AV}#quick-start"),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _cited("yes", f"{_VIZ}/en/stable/remote_attach.html"),
        },
    ),
    Feature(
        "a script as it is, by a command",
        {
            "playground": _yes(ours.script),
            "AsyncViz": _yes(asyncviz.script),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _yes(others.viz_script),
        },
    ),
    Feature(
        "trio's loop",
        {
            "playground": _yes(ours.on_trio),
            "AsyncViz": _cited("no", f"{_AV}#readme"),
            "AsyncFlow": _no(others.flow_trio),
            "VizTracer": _yes(others.viz_trio, "its calls"),
        },
    ),
    Feature(
        "a picture while it happens",
        {
            "playground": _yes(ours.live, "in a notebook"),
            "AsyncViz": _yes(asyncviz.live, "in any browser"),
            "AsyncFlow": _yes(others.flow_live, "in a notebook"),
            "VizTracer": _cited("afterwards", f"{_VIZ}/en/stable/basic_usage.html: `vizviewer`"),
        },
    ),
    Feature(
        "says in words what is wrong",
        {
            "playground": _yes(ours.diagnosis, "with the line"),
            "AsyncViz": _partly("that the loop was blocked", asyncviz.diagnosis, asyncviz.blocking_line),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _cited("no", f"{_VIZ}/en/stable/basic_usage.html"),
        },
    ),
    Feature(
        "a recording in a file, to open again",
        {
            "playground": _yes(ours.saved),
            "AsyncViz": _cited("yes", f"{_AV}#runtime-recording--replay"),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _yes(others.viz_saved),
        },
    ),
    Feature(
        "Perfetto and what else reads its format",
        {
            "playground": _yes(ours.perfetto, "exported"),
            "AsyncViz": _cited("no", f"{_AV}#roadmap"),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _yes(others.viz_saved),
        },
    ),
    Feature(
        "a page that needs no network",
        {
            "playground": _yes(ours.page),
            "AsyncViz": _cited("no", f"{_AV}#roadmap"),
            "AsyncFlow": _cited("no", _FLOW),
            "VizTracer": _yes(others.viz_page),
        },
    ),
    Feature(
        "Python 3.11",
        {
            "playground": _yes(ours.python_311),
            "TestClient": _yes(others.starlette_python),
            "ASGITransport": _yes(others.httpx_python),
            "AsyncViz": _no(others.asyncviz_python),
            "AsyncFlow": _cited("no", f"{_FLOW}: `sys.monitoring`"),
            "VizTracer": _yes(others.viz_python),
            "looptime": _yes(others.looptime_python),
        },
    ),
    Feature(
        "how well tried",
        {
            "playground": _cited("new: 0.1", "CHANGELOG.md"),
            "TestClient": _cited("in every Starlette", "https://www.starlette.io/testclient/"),
            "ASGITransport": _cited("in every httpx", "https://www.python-httpx.org/advanced/transports/"),
            "AsyncViz": _cited("new: 0.1, alpha", f"{_AV}/releases"),
            "AsyncFlow": _cited("new, in wigglystuff", _FLOW),
            "VizTracer": _cited("stable: 1.x", "https://pypi.org/project/viztracer/"),
            "looptime": _cited("since 2021, Kopf's 7,000 tests", "https://pypi.org/project/looptime/"),
        },
    ),
)


def matrix() -> str:
    """The table as Markdown, for README."""
    lines = ["| | " + " | ".join(PEERS) + " |", "|---" * (len(PEERS) + 1) + "|"]
    for feature in FEATURES:
        cells = [feature.cells[peer].says if peer in feature.cells else "–" for peer in PEERS]
        lines.append(f"| {feature.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
