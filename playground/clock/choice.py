"""Which time a lab lives in: what may be asked for, and the loop that it comes to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from playground.clock.loop import LabLoop
from playground.clock.simulated_loop import SimulatedLoop
from playground.clock.simulated_places import there_are_threads
from playground.clock.simulated_thread import LoopHere
from playground.clock.thread import LoopThread
from playground.clock.virtual import Schedule, VirtualLoop
from playground.errors import LabError

__all__ = ["Time"]


@dataclass(frozen=True)
class Time:
    """A clock and its settings.

    Args:
        clock: `real` or `virtual`.
        seed: of what chance decides.
        schedule: `fifo` or `random`; in virtual time only.
        charge_cpu: whether computing takes the time that it took here; in virtual time only.

    Raises:
        LabError: a value is none of these, or is of no use with that clock.
    """

    clock: str = "real"
    seed: int = 0
    schedule: Schedule = "fifo"
    charge_cpu: bool = False

    def __post_init__(self) -> None:
        if self.clock not in ("real", "virtual"):
            raise LabError(f"expected clock='real' or clock='virtual', got {self.clock!r}: choose one of these")
        if type(self.seed) is not int:
            raise LabError(f"expected a whole number as seed, got {type(self.seed).__name__}: give one, such as 0")
        if self.schedule not in get_args(Schedule):
            raise LabError(f"expected schedule='fifo' or schedule='random', got {self.schedule!r}: choose one of these")
        if self.clock == "real" and (self.schedule != "fifo" or self.charge_cpu):
            raise LabError(
                "expected clock='virtual' with schedule='random' or charge_cpu=True, got clock='real': real time "
                "cannot be told whom to run, and charges for everything"
            )

    def loop(self) -> LabLoop:
        """A new event loop in that time."""
        if self.clock == "real":
            if not there_are_threads():
                raise LabError(
                    "expected clock='virtual' where Python has no threads (as in a browser), got clock='real', which "
                    "needs one for the lab's loop: make it Lab(app, clock='virtual')"
                )
            return LabLoop()
        if self.charge_cpu and not there_are_threads():
            raise LabError(
                "expected charge_cpu=False where Python has no threads (as in a browser), got charge_cpu=True: there, "
                "the processor time of a worker cannot be told from the loop's"
            )
        kind = VirtualLoop if there_are_threads() else SimulatedLoop
        return kind(schedule=self.schedule, seed=self.seed, charge_cpu=self.charge_cpu)

    def home(self, name: str, on_start: Callable[[], object]) -> LoopThread:
        """The same, running: in a thread of its own, or where there are none, on that of whoever calls into it."""
        kind = LoopThread if there_are_threads() else LoopHere
        return kind(name, on_start, self.loop())
