"""Sweeping: one scenario, many times, with other parameters each time, on whatever runs functions elsewhere.

A scenario is a function that makes its own lab, mostly in virtual time, and returns figures. This module decides which
parameters it is called with, how it travels to where it runs, and how its figures come back (as a table: see `swept`);
where that is (threads, processes, other machines) is the executor's affair, and the figures are the same wherever it
is.
"""

import itertools
import multiprocessing
import pickle
import queue
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final

from playground.clock.simulated_places import there_are_threads
from playground.code import own_line, short_name
from playground.errors import SweepError
from playground.functions import check_not_called
from playground.progress import Progress
from playground.run import Run
from playground.swept import Row, Sweep

__all__ = ["Row", "Sweep", "sweep"]

Figures = dict[str, Any]
_Played = tuple[Figures, str, tuple[str, int] | None]

_WITHOUT_PROCESSES: Final = ("emscripten", "wasi")
_LOOKS_S: Final = 1 / 15
"""How often the progress is shown anew, as a lab's is."""


def sweep(
    scenario: Callable[..., Any],
    grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    executor: Executor | None = None,
) -> Sweep:
    """Call a scenario with each combination of parameters, and give the table of their figures.

        def stall(threads, rate):
            with Lab(app, clock="virtual", threads=threads, seed=1) as lab:
                return lab.load("/report", rate=rate, duration=60)

        sweep(stall, {"threads": [10, 20, 40], "rate": [50, 100]})

    A scenario that fails has its error in its row, and the others theirs. How far it has got is shown if it takes more
    than a second.

    Args:
        scenario: a function of the parameters, by name. It returns figures by name, one number, or a `Run`, of which
            the figures are how many requests it had, how many failed, the median and the longest time of an answer,
            in seconds, and the greatest overlap.
        grid: for each parameter its values, of which every combination is taken, the last parameter changing fastest;
            or the combinations themselves.
        executor: what calls it: any of `concurrent.futures`, Dask's `client.get_executor()`, ipyparallel's
            `client.executor()` …, which is left open; by default a pool of processes, one for each processor. In a
            script, a pool of processes has to be started under `if __name__ == "__main__":`. Where Python has neither
            processes nor threads (as in a browser), scenarios are called here, one after another, by default and in
            place of a `ThreadPoolExecutor`.

    Raises:
        SweepError: the scenario is no function or cannot travel, the grid is empty, or something is no executor.
    """
    check_not_called(scenario, SweepError, "a function of the parameters", "sweep")
    points = _points(grid)
    if executor is not None and not hasattr(executor, "submit"):
        raise SweepError(
            f"expected an executor, got {type(executor).__name__}: pass a concurrent.futures.ProcessPoolExecutor(), "
            "Dask's client.get_executor(), ipyparallel's client.executor(), or nothing"
        )
    packed = _packed(scenario, travels=not isinstance(_chosen(executor), _Here))
    with ExitStack() as stack:
        chosen = _chosen(executor) or stack.enter_context(_processes(len(points)))
        progress = stack.enter_context(_Scenarios(len(points)))
        return Sweep(_collect(chosen, packed, points, progress))


class _Scenarios(Progress):
    def words(self) -> str:
        return f"{self.count:,} of {self.total:,.0f} scenarios"


def _points(grid: Any) -> list[dict[str, Any]]:
    """The combinations of a grid, in order."""
    if isinstance(grid, Mapping):
        lone = next((name for name, values in grid.items() if isinstance(values, str) or not _is_many(values)), None)
        if lone is not None:
            raise SweepError(
                f"expected a list of values for {lone!r}, got {type(grid[lone]).__name__}: for one value, write [value]"
            )
        values = [list(each) for each in grid.values()]
        points = [dict(zip(grid, each, strict=True)) for each in itertools.product(*values)] if values else []
    else:
        points = list(grid) if _is_many(grid) and not isinstance(grid, str) else [grid]
        odd = next((point for point in points if not isinstance(point, Mapping)), None)
        if odd is not None:
            raise SweepError(
                f"expected a grid such as {{'threads': [10, 40]}}, or a list of dicts, got {type(odd).__name__}: give "
                "each parameter by its name"
            )
        points = [dict(point) for point in points]
    if not points:
        raise SweepError("expected at least one combination of parameters, got none: give each parameter a value")
    return points


def _is_many(values: Any) -> bool:
    return isinstance(values, Iterable)


class _Here(Executor):
    """Makes each call where and when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))  # `_play` raises nothing but what ends the sweep
        return future


def _chosen(executor: Executor | None) -> Executor | None:
    """What calls the scenarios; `None` for a pool of processes."""
    if executor is None:
        return _Here() if sys.platform in _WITHOUT_PROCESSES or not there_are_threads() else None
    return _Here() if isinstance(executor, ThreadPoolExecutor) and not there_are_threads() else executor


def _processes(scenarios: int) -> Executor:
    """A pool of fresh processes: one forked from a notebook's kernel, with all its threads, might hang."""
    from concurrent.futures import ProcessPoolExecutor  # a browser's Python cannot import it

    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")
    return ProcessPoolExecutor(min(scenarios, multiprocessing.cpu_count()), mp_context=context)


def _packed(scenario: Callable[..., Any], travels: bool) -> Any:
    """The scenario as bytes: by value where it is defined in a cell, which no other process could import.

    So each call has the scenario anew, with nothing left in it of the call before. One that does not travel, and
    cannot be copied so, is given as it is.
    """
    try:
        import cloudpickle
    except ImportError:
        if not travels:
            return scenario
        dumps: Callable[[Any], bytes] = pickle.dumps
        advice = "install cloudpickle (it is in playground[models]), or define it in a module"
    else:
        dumps = cloudpickle.dumps
        advice = "let it make what cannot travel, such as a Lab or a lock, itself"
    try:
        return dumps(scenario)
    except Exception as error:
        raise SweepError(f"expected a scenario that can travel to other processes, got {error}: {advice}") from error


def _collect(executor: Executor, packed: Any, points: list[dict[str, Any]], progress: Progress) -> list[Row]:
    """Submit all, and take their rows as they come."""
    done: queue.SimpleQueue[int] = queue.SimpleQueue()
    futures: list[Future[_Played]] = []
    rows = [Row(point) for point in points]
    try:
        for number, point in enumerate(points):
            progress.sent(done.qsize(), done.qsize())
            progress.show()
            future = executor.submit(_play, packed, point)
            futures.append(future)
            future.add_done_callback(lambda _, number=number: done.put(number))  # type: ignore[misc]
        for count in range(1, len(points) + 1):
            number = _next(done, progress)
            rows[number] = _row(points[number], futures[number])
            progress.sent(count, count)
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return rows


def _next(done: "queue.SimpleQueue[int]", progress: Progress) -> int:
    while True:
        progress.show()
        try:
            return done.get(timeout=_LOOKS_S)
        except queue.Empty:
            continue


def _row(point: dict[str, Any], future: "Future[_Played]") -> Row:
    try:
        figures, error, place = future.result()
    except Exception as lost:  # noqa: BLE001 (the executor's own: its worker died, or what came back cannot be read)
        return Row(point, error=_words(lost))
    # named here: which cell a file is, only the notebook's own process knows
    where = f" ({short_name(place[0])}, line {place[1]})" if place is not None else ""
    return Row(point, figures, error + where)


# -- where it runs --------------------------------------------------------------------------------------------


def _play(packed: Any, point: dict[str, Any]) -> "_Played":
    """Call the scenario, where the executor has it run: its figures; or its error, and the file and line of that."""
    try:
        scenario = pickle.loads(packed) if isinstance(packed, bytes) else packed
        figures = _figures(scenario(**point))
        taken = sorted(set(figures) & {*point, "error"})
        if taken:
            raise SweepError(f"expected figures of other names than the parameters', got {taken[0]!r}: rename it")
        pickle.dumps(figures)  # here, and not where an executor's thread would fail at it, without a word
    except Exception as error:  # noqa: BLE001 (a scenario may raise whatever it likes: it is told in its row)
        return {}, _words(error), own_line(error)
    return figures, "", None


def _figures(result: Any) -> Figures:
    if isinstance(result, Run):
        return _of_run(result)
    if isinstance(result, Mapping):
        return {str(name): value for name, value in result.items()}
    if isinstance(result, int | float):
        return {"result": result}
    kind = type(result).__name__
    raise SweepError(f"expected figures by name, a number or a Run, got {kind}: return one of these")


def _of_run(run: Run) -> Figures:
    requests = run.requests
    failed = sum(each.error is not None or each.status is None or each.status >= 500 for each in requests)
    took_s = [(each.end_ns - each.start_ns) / 1e9 for each in requests if each.end_ns is not None]
    return {
        "requests": len(requests),
        "failed": failed,
        "median_s": statistics.median(took_s) if took_s else None,
        "longest_s": max(took_s, default=None),
        "most_at_once": run.trace.max_overlap,
    }


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
