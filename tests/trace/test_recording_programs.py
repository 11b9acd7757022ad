"""Random programs are recorded as they themselves saw it: their steps, waits and hand-offs."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trace.programs import (
    ACTIONS,
    Action,
    Program,
    check_the_loop_does_one_thing_at_a_time,
    check_waits_fill_the_gaps,
    record,
    task_named,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs=st.lists(st.lists(ACTIONS, max_size=6), min_size=1, max_size=5))
def test_random_programs_are_recorded_as_their_witness_saw_them(programs: list[list[Action]]) -> None:
    program = Program()
    trace, recorder = record(lambda: program.main(programs))
    witness = program.witness
    origin = recorder.started_ns

    check_the_loop_does_one_thing_at_a_time(trace)
    for name, seen in witness.steps.items():
        task = task_named(trace, name)
        steps = [trace.steps[index] for index in trace.steps_of[task]]
        # what the program saw as one stretch lies in exactly one recorded step of its own task
        for start, end in seen:
            holders = [s for s in steps if s.start_ns <= start - origin and end - origin <= s.end_ns]
            assert len(holders) == 1, (name, start - origin, end - origin, steps)
        check_waits_fill_the_gaps(trace, task)

    assert len(trace.handoffs) == len(witness.calls)
    unclaimed = list(trace.handoffs)
    for name, start, end in witness.calls:
        # by its task and not by order: a worker may lose the processor between its two notes of its start
        (handoff,) = (
            handoff
            for handoff in unclaimed
            if handoff.task == task_named(trace, name.rpartition(".")[0])
            and (handoff.started_ns or 0) <= start - origin
            and end - origin <= (handoff.ended_ns or 0)
        )
        unclaimed.remove(handoff)
        assert handoff.function == "Witness.worker"
        assert handoff.started_ns is not None
        assert handoff.ended_ns is not None
        assert handoff.woken_ns is not None
        assert handoff.submitted_ns <= handoff.started_ns
        assert handoff.ended_ns <= handoff.woken_ns
