"""What is noted on trails makes the same spans, whenever it is read."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playground.trace.spans import CLOSED, Answered, Branch, Told, Unwatched
from playground.trace.trails import Trails

LAYERS = [Told("middleware", "a"), Told("middleware", "b"), Told("routing", "r"), Told("handler", "h")]
NOTES = [
    *LAYERS,
    *(told.left for told in LAYERS),
    bytes,
    CLOSED,
    Answered(str),
    Unwatched("u"),
    Told("dependency", "d"),
]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from([*NOTES, "branch"]), st.integers(0, 2), st.booleans()), max_size=40
    )
)
def test_it_makes_no_difference_when_or_how_often_somebody_asks(steps: list[tuple[int, Any, int, bool]]) -> None:
    def told(*, asking: bool) -> list[tuple[Any, ...]]:
        at_ns = 0
        trails = Trails(lambda code: 0, lambda: at_ns)
        notes: list[list[Any]] = [[]]
        trails.begin((notes[0], 0, 1, None, None))
        for which, note, passed_ns, asks in steps:
            at_ns += passed_ns  # in virtual time much is noted at one moment
            branch = Branch() if note == "branch" else None
            trail = notes[which % len(notes)]
            trail.append(note if branch is None else branch)
            if asking and asks:
                trails.spans()  # between a note and its time
            trail.append(at_ns)
            if branch is not None:
                notes.append([])
                trails.begin((notes[-1], 0, len(notes), branch, lambda: False))
            if asking and asks:
                trails.spans()
        trails.close()
        spans = trails.spans().values()
        return [(span.kind, span.name, span.start_ns, span.end_ns, span.parent, span.task) for span in spans]

    spans = told(asking=True)
    assert spans == told(asking=False)
    assert [number for number, span in enumerate(spans) if span[4] is not None and span[4] >= number] == []
