"""A sweep gives the same table wherever its scenarios run, and keeps what came of those that did not fail."""

import importlib.util
import math
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import App, Lab
from playground.errors import SweepError
from playground.run import Run
from playground.sweep import Sweep, sweep
from tests.lite.threadless import threadless

app = App()


@app.get("/report")
def report() -> str:
    time.sleep(0.2)
    return "done"


def queueing(threads: int, n: int) -> dict[str, Any]:
    with Lab(app, clock="virtual", threads=threads, seed=1) as lab:
        run = lab.burst("/report", n=n)
        return {"last_s": run.trace.duration_ns / 1e9, "handed": len(run.trace.handoffs)}


def whole_run(rate: int) -> Run:
    with Lab(app, clock="virtual", threads=2, seed=7) as lab:
        return lab.load("/report", rate=rate, duration=2)


def root(number: float) -> float:
    return math.sqrt(number)


class Inline(Executor):
    """Runs each call at once, where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (as an executor does)
            future.set_exception(error)
        return future


GRID = {"threads": [1, 2, 4], "n": [4, 8]}
ROWS = [
    {"threads": 1, "n": 4, "last_s": 0.8, "handed": 4},
    {"threads": 1, "n": 8, "last_s": 1.6, "handed": 8},
    {"threads": 2, "n": 4, "last_s": 0.4, "handed": 4},
    {"threads": 2, "n": 8, "last_s": 0.8, "handed": 8},
    {"threads": 4, "n": 4, "last_s": 0.2, "handed": 4},
    {"threads": 4, "n": 8, "last_s": 0.4, "handed": 8},
]


def test_every_combination_is_a_row_with_the_last_parameter_changing_fastest() -> None:
    assert sweep(queueing, GRID, Inline()).to_rows() == ROWS


@pytest.mark.slow
def test_figures_are_the_same_in_threads_and_in_processes() -> None:
    with ThreadPoolExecutor(3) as threads:
        assert sweep(queueing, GRID, threads).to_rows() == ROWS
        assert threads.submit(int).result() == 0  # it is left open
    assert sweep(queueing, GRID).to_rows() == ROWS


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor(1)])
@pytest.mark.parametrize("cloudpickle", [True, False])
def test_figures_are_the_same_where_there_are_neither_threads_nor_processes(
    executor: Executor | None, cloudpickle: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_a_cell(threads: int, n: int) -> dict[str, Any]:
        return queueing(threads, n)

    grid = {"threads": [1, 2], "n": [3]}
    elsewhere = sweep(queueing, grid, Inline()).to_rows()
    failing = sweep(whole_run, {"rate": [0, 10]}, Inline()).to_rows()
    if not cloudpickle:
        monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with threadless():
        assert sweep(of_a_cell, grid, executor).to_rows() == elsewhere
        assert sweep(whole_run, {"rate": [0, 10]}, executor).to_rows() == failing
    assert [set(row) for row in failing] == [{"rate", "error"}, set(failing[1]) - {"error"}]


def test_a_browser_s_python_needs_no_module_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys\n"
        "sys.modules['_multiprocessing'] = None\n"
        "from playground.sweep import sweep\n"
        "sys.platform = 'emscripten'\n"
        "print(sweep(lambda number: number * 2, {'number': [1, 2]}).to_rows())\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (told.stdout, told.stderr) == ("[{'number': 1, 'result': 2}, {'number': 2, 'result': 4}]\n", "")


def test_an_interrupt_ends_what_runs_here_and_progress_counts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("playground.sweep._Scenarios.show", lambda progress: shown.append(progress.words()))

    def scenario(number: int) -> int:
        if number == 3:
            raise KeyboardInterrupt
        return number

    with threadless(), pytest.raises(KeyboardInterrupt):
        sweep(scenario, {"number": [1, 2, 3, 4]})
    assert shown == ["0 of 4 scenarios", "1 of 4 scenarios", "2 of 4 scenarios"]


def test_a_scenario_from_a_cell_travels_to_fresh_processes() -> None:
    factor = 3
    namespace: dict[str, Any] = {"__name__": "__main__", "factor": factor}
    exec("def scaled(number):\n    return {'pid': __import__('os').getpid(), 'scaled': number * factor}", namespace)
    rows = sweep(namespace["scaled"], {"number": [1, 2]}).to_rows()
    assert [row["scaled"] for row in rows] == [3, 6]
    assert os.getpid() not in {row["pid"] for row in rows}


@pytest.mark.slow
def test_an_app_from_a_cell_travels_with_its_scenario() -> None:
    source = """
import time
from playground import App, Lab
app = App()
@app.get("/r")
def r():
    time.sleep(0.2)
    return "x"
def last_s(threads):
    with Lab(app, clock="virtual", threads=threads) as lab:
        return lab.burst("/r", n=4).trace.duration_ns / 1e9
"""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source, namespace)
    assert sweep(namespace["last_s"], {"threads": [1, 2]}).to_rows() == [
        {"threads": 1, "result": 0.8},
        {"threads": 2, "result": 0.4},
    ]


def test_a_scenario_that_fails_has_its_error_in_its_row_and_the_others_theirs() -> None:
    table = sweep(root, {"number": [4, -1, 9]}, Inline())
    (failed,) = table.failed
    assert failed.parameters == {"number": -1}
    assert re.fullmatch(r"ValueError: .+ \(tests/test_sweep\.py, line \d+\)", failed.error)
    assert [row.figures for row in table] == [{"result": 2.0}, {}, {"result": 3.0}]
    assert table.columns == ["number", "result", "error"]
    assert repr(table) == "<Sweep: 3 scenarios, 1 failed>"


def dies(number: int) -> int:
    if number == 2:
        os._exit(3)
    return number


def test_a_worker_that_dies_is_told_in_its_row() -> None:
    with ProcessPoolExecutor(1) as pool:
        rows = sweep(dies, {"number": [1, 2]}, pool).to_rows()
    assert rows[0] == {"number": 1, "result": 1}
    assert rows[1]["error"].startswith("BrokenProcessPool: ")


def test_a_run_gives_figures_of_its_own() -> None:
    (row,) = sweep(whole_run, {"rate": [20]}, Inline())
    run = whole_run(20)
    assert row.figures["requests"] == len(run.requests) > 10
    assert row.figures["failed"] == 0
    assert row.figures["most_at_once"] == run.trace.max_overlap
    assert 0.2 <= row.figures["median_s"] <= row.figures["longest_s"]


def test_figures_that_cannot_be_told_are_an_error_in_their_row() -> None:
    told = [
        (
            lambda number: "text",
            "SweepError: expected figures by name, a number or a Run, got str: return one of these",
        ),
        (
            lambda number: {"number": 1},
            "SweepError: expected figures of other names than the parameters', got 'number': ",
        ),
        (lambda number: {"lock": threading.Lock()}, "TypeError: cannot pickle '_thread.lock' object"),
    ]
    for scenario, error in told:
        (row,) = sweep(scenario, {"number": [1]}, Inline())
        assert row.error.startswith(error)
        assert row.figures == {}


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4), min_size=1, max_size=3))
def test_a_grid_has_as_many_rows_as_combinations_and_each_once(values: list[list[int]]) -> None:
    grid = {f"p{number}": each for number, each in enumerate(values)}
    table = sweep(lambda **point: sum(point.values()), grid, Inline())
    assert len(table) == math.prod(map(len, values))
    expected: list[tuple[int, ...]] = [()]
    for each in values:
        expected = [(*point, value) for point in expected for value in each]
    assert [tuple(row.parameters.values()) for row in table] == expected
    assert all(row.figures == {"result": sum(row.parameters.values())} for row in table)


def test_combinations_may_be_given_one_by_one() -> None:
    points = ({"number": number} for number in (1.0, 16.0))
    assert sweep(root, points, Inline()).to_rows() == [{"number": 1.0, "result": 1.0}, {"number": 16.0, "result": 4.0}]


def test_what_no_sweep_can_be_made_of_is_refused_in_words() -> None:
    none = "expected at least one combination of parameters, got none: give each parameter a value"
    lone = "expected a list of values for 'number', got {}: for one value, write [value]"
    odd = "expected a grid such as {'threads': [10, 40]}, or a list of dicts, got int: give each parameter by its name"
    executor = (
        "expected an executor, got int: pass a concurrent.futures.ProcessPoolExecutor(), Dask's client.get_executor(), "
        "ipyparallel's client.executor(), or nothing"
    )
    called = (
        "expected a function of the parameters, got float: pass the function itself, as in sweep(main) and not "
        "sweep(main())"
    )
    refused: list[tuple[tuple[Any, ...], str]] = [
        ((root, {}), none),
        ((root, {"number": []}), none),
        ((root, {"number": 3}), lone.format("int")),
        ((root, {"number": "3"}), lone.format("str")),
        ((root, [3]), odd),
        ((root, {"number": [1]}, 4), executor),
        ((root(4), {"number": [1]}), called),
    ]
    for arguments, message in refused:
        with pytest.raises(SweepError) as raised:
            sweep(*arguments)
        assert str(raised.value) == message


def test_a_scenario_that_holds_a_lab_cannot_travel_and_is_told_so() -> None:
    with Lab(app, clock="virtual") as lab:
        told = (
            r"^expected a scenario that can travel to other processes, got .+: let it make what cannot travel, such as"
        )
        with pytest.raises(SweepError, match=told):
            sweep(lambda number: lab.burst("/report", n=number), {"number": [1]})


class Slow(Executor):
    """Never begins."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        if len(self.futures) == 2:
            raise KeyboardInterrupt
        self.futures.append(Future())
        return self.futures[-1]


def test_an_interrupt_takes_back_what_was_submitted() -> None:
    slow = Slow()
    with pytest.raises(KeyboardInterrupt):
        sweep(root, {"number": [1, 2, 3]}, slow)
    assert [future.cancelled() for future in slow.futures] == [True, True]


def test_a_table_is_shown_as_text_and_as_html_without_foreign_markup() -> None:
    points = [{"name": "<b>x</b>", "number": 2.0}, {"name": "plain", "number": 1_000_000.0}]
    table = sweep(lambda name, number: {"root": math.sqrt(number), "count": int(number)}, points, Inline())
    assert str(table) == (
        "    name  number   root      count\n<b>x</b>       2  1.414          2\n   plain   1e+06   1000  1,000,000"
    )
    bundle = table._repr_mimebundle_()
    assert bundle["text/plain"] == str(table)
    assert "<td>&lt;b&gt;x&lt;/b&gt;</td><td>2</td><td>1.414</td><td>2</td>" in bundle["text/html"]
    assert set(re.findall(r"<(\w+)", bundle["text/html"])) == {"table", "tr", "th", "td"}
    assert isinstance(table, Sweep)
    assert table[1].figures["count"] == 1_000_000


def test_progress_is_counted_in_scenarios() -> None:
    from playground.sweep import _Scenarios

    progress = _Scenarios(8)
    progress.sent(2, 2)
    assert progress.text() == "████████░░░░░░░░░░░░░░░░░░░░░░  25%  2 of 8 scenarios"


@pytest.mark.slow
def test_a_script_may_sweep_in_processes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from playground.sweep import sweep\n"
        "def double(number):\n    return 2 * number\n"
        "if __name__ == '__main__':\n    print(sweep(double, {'number': [1, 2]}).to_rows())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "[{'number': 1, 'result': 2}, {'number': 2, 'result': 4}]\n"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs distributed")
def test_dasks_executor_gives_the_same_table(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from dask.distributed import Client\n"
        "from playground.sweep import sweep\n"
        "from tests.test_sweep import GRID, queueing\n"
        "if __name__ == '__main__':\n"
        "    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:\n"
        "        print(sweep(queueing, GRID, client.get_executor()).to_rows())\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=300, env=environ
    )
    assert done.stdout == f"{ROWS}\n"
