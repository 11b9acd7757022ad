"""A function, called in this process: on a platform that has no other, such as Python in a web page.

It tells as much as `apart` does of how the function ended, by the same words. It decides that what is recorded goes
into a folder that is gone afterwards. It can end nothing by force, and shows no output: that is printed as it comes.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns, process_time
from typing import Any

from playground.models.apart import Apart, Ending
from playground.models.left import read_left
from playground.models.parcel import Failure, failed
from playground.models.rows import read_dropped, read_rows, recording_in

__all__ = ["run_here"]


def run_here(function: Callable[..., Any], *args: Any) -> Apart:
    """Call a function, and tell how it ended and what it recorded.

    Raises:
        KeyboardInterrupt: the cell was interrupted.
    """
    began_ns, cpu_s = perf_counter_ns(), process_time()
    ending: Ending = "returned"
    result: Any = None
    error: Failure | None = None
    with tempfile.TemporaryDirectory(prefix="playground-") as name:
        folder = Path(name)
        with recording_in(folder):
            started_ns = perf_counter_ns()
            try:
                result = function(*args)
            except (Exception, SystemExit) as raised:  # noqa: BLE001  (it is told, as that of another process is)
                ending, error = "raised", failed(raised)
            ended_ns = perf_counter_ns()
        rows, dropped, left = read_rows(folder), read_dropped(folder), read_left(folder)
    return Apart(
        ending=ending,
        result=result,
        error=error,
        rows=rows,
        dropped=dropped,
        left=left,
        out="",
        err="",
        cpu_s=process_time() - cpu_s,
        most_bytes=None,
        wall_s=(ended_ns - started_ns) / 1e9,
        overhead_s=(perf_counter_ns() - began_ns - (ended_ns - started_ns)) / 1e9,
        ended_ns=ended_ns,
    )
