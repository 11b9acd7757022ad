"""Plays for the page's half of the loop theatre: packets of random recordings, and what must be on the stage of each.

What must be there is found here the slow way: at each place, by looking at all steps, waits and calls.
"""

import json
from pathlib import Path
from typing import Any

from playground.trace import Trace
from playground.views.play import Play, play
from playground.views.players import name_of
from playground.views.stage import NOBODY, Stay
from playground.views.theatre import theatre_packet
from tests.by_hand import handoff, step, task, wait
from tests.recordings import blocked_run, load

__all__ = ["crowd", "leave_plays"]


def crowd(waiting: int = 200, steps: int = 300) -> Trace:
    """Very many who wait, beside one who runs again and again."""
    rows = [step(index, index, 1) for index in range(waiting)]
    rows += [step(waiting, waiting + at, 1, "yields", woken_by=waiting + at - 1 if at else None) for at in range(steps)]
    end = waiting + steps
    return Trace(
        steps=rows,
        tasks=[task(coroutine=f"waiter_{index}") for index in range(waiting + 1)],
        waits=[wait(index, index + 1, end, "event") for index in range(waiting)],
        handoffs=[handoff(1, 2, 3 + index, 400, thread=index) for index in range(12)],
        duration_ns=end * 1_000_000,
        title="A crowd",
    )


def leave_plays(folder: Path) -> None:
    """Leave the packets in `theatre-0.bin` and so on, and what is expected of all in `theatre.json`."""
    traces = [load(12, seed=seed, rate=rate) for seed, rate in ((1, 100.0), (2, 900.0), (3, 9000.0))]
    traces += [blocked_run(), crowd(), Trace()]
    for number, trace in enumerate(traces):
        (folder / f"theatre-{number}.bin").write_bytes(theatre_packet(trace))
    (folder / "theatre.json").write_text(json.dumps([_expected(play(trace)) for trace in traces]), encoding="utf-8")


def _expected(shown: Play) -> list[dict[str, Any]]:
    made = shown.stage
    calls = shown.trace.handoffs

    def names(stays: list[Stay], place: int) -> list[str]:
        return [name_of(shown.actors[stay.actor]) for stay in reversed(stays) if stay.enters <= place < stay.leaves]

    places = []
    for place in range(made.steps + 1):
        queue = [index for index in range(place + 1, made.steps) if made.queued_from[index] <= place]
        actors = [made.actor[index if made.carries[index] == NOBODY else made.carries[index]] for index in queue]
        busy = [
            calls[stay.row].thread for stay in made.calls if stay.enters <= place < stay.leaves and stay.row is not None
        ]
        done = [ended.actor for ended in reversed(made.ended) if ended.at <= place]
        places.append(
            {
                "sentence": shown.sentence(place).replace("`", "") if place < made.steps else "The recording is over.",
                "running": [name_of(shown.actors[made.actor[place]])] if place < made.steps else [],
                "ready": [name_of(shown.actors[actor]) for actor in actors],
                "waiting": names(made.waits, place),
                "busy": sorted(thread for thread in busy if thread is not None),
                "done": [name_of(shown.actors[actor]) for actor in done],
                "next": queue[0] == place + 1 if queue else None,
            }
        )
    return places
