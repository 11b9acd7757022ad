"""The recording agrees with an independent witness, over random programs, on every clock."""

import sys
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from playground.clock.loop import LabLoop
from playground.clock.virtual import VirtualLoop
from playground.trace import Trace
from playground.trace.recorder import recording
from tests.truth.accounts import account
from tests.truth.compare import check
from tests.truth.forgeries import FORGERIES, PROGRAM
from tests.truth.program import BLOCKING, PROGRAMS, Program

CLOCKS: Final[dict[str, Any]] = {"real": LabLoop, "virtual": VirtualLoop}


def compare(program: Program, clock: str, *, eager: bool = False) -> None:
    """Run a program, recorded and witnessed, and hold the one against the other."""
    trace, witness, origin_ns = account(CLOCKS[clock](), recording, program, eager=eager)
    check(trace, witness, origin_ns, exact=clock == "virtual")


QUIET: Final = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.mark.slow
@pytest.mark.parametrize("clock", CLOCKS)
@settings(QUIET, max_examples=25)
@given(program=PROGRAMS)
def test_a_recording_tells_what_a_program_saw_of_itself(clock: str, program: Program) -> None:
    compare(program, clock)


@pytest.mark.slow
@pytest.mark.parametrize("clock", CLOCKS)
@settings(QUIET, max_examples=250)
@given(program=PROGRAMS)
def test_over_many_programs_too(clock: str, program: Program) -> None:
    compare(program, clock)


EAGER: Final = pytest.mark.skipif(sys.version_info < (3, 12), reason="expected Python 3.12 or later for eager tasks")


@EAGER
@pytest.mark.parametrize("clock", CLOCKS)
@settings(QUIET, max_examples=25)
@given(program=PROGRAMS)
def test_tasks_that_start_eagerly_are_told_in_parts(clock: str, program: Program) -> None:
    compare(program, clock, eager=True)


@EAGER
@pytest.mark.slow
@pytest.mark.parametrize("clock", CLOCKS)
@settings(QUIET, max_examples=250)
@given(program=PROGRAMS)
def test_over_many_programs_of_eager_tasks_too(clock: str, program: Program) -> None:
    compare(program, clock, eager=True)


@pytest.mark.slow
@pytest.mark.parametrize("clock", CLOCKS)
@settings(QUIET, max_examples=20)
@given(program=BLOCKING)
def test_who_holds_the_loop_is_named_with_the_line(clock: str, program: Program) -> None:
    compare(program, clock)


@pytest.mark.parametrize("clock", CLOCKS)
def test_the_program_that_is_forged_below_is_recorded_truly(clock: str) -> None:
    compare(PROGRAM, clock)


# in virtual time, where the program is sure to come to all that is forged, on the busiest machine
@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
@pytest.mark.parametrize("exact", [True, False])
def test_a_forged_recording_is_found_out(forge: Callable[[Trace], Trace], exact: bool) -> None:
    trace, witness, origin_ns = account(VirtualLoop(), recording, PROGRAM)
    forged = forge(trace)
    with pytest.raises(AssertionError):
        check(forged, witness, origin_ns, exact=exact)
