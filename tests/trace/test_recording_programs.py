"""Random programs are recorded as they themselves saw it: their steps, waits and hand-offs."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trace.programs import ACTIONS, Action, Program, check_handoffs, check_steps, record


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs=st.lists(st.lists(ACTIONS, max_size=6), min_size=1, max_size=5))
def test_random_programs_are_recorded_as_their_witness_saw_them(programs: list[list[Action]]) -> None:
    program = Program()
    trace, recorder = record(lambda: program.main(programs))
    check_steps(trace, recorder.started_ns, program.witness)
    check_handoffs(trace, recorder.started_ns, program.witness)
