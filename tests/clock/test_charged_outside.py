"""What time it is in charged virtual time, asked by a thread outside while somebody computes."""

import threading

from playground import App, Lab, Run
from playground.flag import Flag
from playground.trace import Trace


def test_a_recording_that_another_thread_looks_at_lasts_as_long_as_what_it_tells_of() -> None:
    app, computes, seen = App(), Flag(), Flag()

    @app.get("/")
    async def compute() -> str:
        computes.set()
        while not seen.up:
            pass
        return "done"

    taken: list[Trace] = []
    runs: list[Run] = []
    with Lab(app, clock="virtual", charge_cpu=True) as lab:
        running = threading.Thread(target=lambda: runs.append(lab.burst("/", n=2)))
        running.start()
        assert computes.wait(30)
        taken.append(lab.snapshot())
        fresh = threading.Thread(target=lambda: taken.append(lab.snapshot()))
        fresh.start()
        fresh.join()
        seen.set()
        running.join()
    final = runs[0].trace
    for trace in taken:
        moments = [request.start_ns for request in trace.requests] + [task.created_ns for task in trace.tasks]
        assert max(moments) <= trace.duration_ns <= final.duration_ns
