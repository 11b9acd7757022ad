"""Computing: `work(seconds)` takes processor time, in virtual time on a simulated interpreter lock.

CPython lets one thread compute at a time and changes over every 5 ms. So in virtual time who computes holds the
simulated lock for slices of 5 ms and passes it on to whoever waits for it, in the order of coming: four threads that
compute for a tenth of a second each are done together, after four tenths. On the real clock it is real computing.
"""

from typing import Final

from playground.clock.baton import Baton
from playground.clock.native import thread_time_ns
from playground.clock.runner import Runner, current
from playground.errors import LabError

__all__ = ["work"]

SLICE_NS: Final = 5_000_000
"""What `sys.getswitchinterval()` says on every CPython."""


def work(seconds: float) -> None:
    """Compute for so many seconds of processor time.

    In virtual time nothing is computed: time passes, and the caller holds the simulated interpreter lock. Elsewhere
    the calling thread is kept busy until it has used that much processor time.

    Raises:
        LabError: `seconds` is negative, or no number.
    """
    if not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        raise LabError(f"expected a number of seconds, 0 or more, got {seconds!r}: say how long to compute")
    duration_ns = round(seconds * 1e9)
    me = current()
    if me is None:
        until_ns = thread_time_ns() + duration_ns
        while thread_time_ns() < until_ns:
            pass
        return
    while duration_ns > 0:
        slice_ns = min(duration_ns, SLICE_NS)
        _compute(me.baton, me, slice_ns)
        duration_ns -= slice_ns


def _compute(baton: Baton, me: Runner, slice_ns: int) -> None:
    if baton.computing is not None:
        baton.to_compute.append(me)
        me.asked_ns = baton.now_ns
        try:
            while baton.computing is not me:  # granted by whoever computed before
                baton.park(me)
        except BaseException:
            if baton.computing is me:
                _pass_on(baton)
            elif me in baton.to_compute:
                baton.to_compute.remove(me)
            raise
    baton.computing = me
    try:
        baton.park(me, baton.now_ns + slice_ns)
        me.charged_ns += slice_ns
    finally:
        _pass_on(baton)


def _pass_on(baton: Baton) -> None:
    baton.computing = None
    if baton.to_compute:
        baton.computing = granted = baton.to_compute.popleft()
        granted.locked_out_ns += baton.now_ns - granted.asked_ns
        baton.wake(granted)
