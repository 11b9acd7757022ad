"""Who stands where at a step of a play, and what is told of it."""

from typing import Any

from playground.trace import Site, Trace
from playground.trace.columns import unpack
from playground.views.stage import Stage
from playground.views.theatre import theatre_packet

FETCH = Site("cell 3", 6, "list_items", "rows = await db.fetch(LIST)")

RESULT = Site("/usr/lib/python3.11/asyncio/futures.py", 311, "set_result", "def set_result(fut, result):")


def queued(made: Stage, place: int) -> list[int]:
    """The steps that are in the ready queue at a place, as they stand in it."""
    return [step for step in range(place + 1, made.steps) if made.queued_from[step] <= place]


def waiting(made: Stage, place: int) -> list[int]:
    """The actors that wait at a place."""
    return [stay.actor for stay in made.waits if stay.enters <= place < stay.leaves]


def at_work(made: Stage, place: int) -> list[int | None]:
    """The hand-offs that are in a thread at a place."""
    return [stay.row for stay in made.calls if stay.enters <= place < stay.leaves]


def done(made: Stage, place: int) -> list[tuple[int | None, int | None]]:
    return [(ended.task, ended.request) for ended in made.ended if ended.at <= place]


def decoded(trace: Trace) -> "tuple[dict[str, Any], dict[str, list[Any]]]":
    header, columns = unpack(theatre_packet(trace))
    return header, {name: column.tolist() for name, column in columns.items()}
