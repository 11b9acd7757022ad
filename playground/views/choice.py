"""Which requests a picture draws that has no room for all: whoever held the loop, who failed, then the longest.

The request that a reader looks for is the one that blocked, and it is rarely the longest: those that waited
behind it are; one that failed may be the shortest of all. It orders requests and says what is true of those left
out; how many fit is the caller's business.
"""

from playground.views.kinds import BLOCKED
from playground.views.lanes import NO_REQUEST, Lanes
from playground.views.wording import duration

__all__ = ["left_out", "ranked"]


def ranked(laid: Lanes) -> list[int]:
    """Indexes of all requests: those that blocked the loop, the worst first, then those that failed, then the others.

    Of the same sort the longer comes first.
    """
    held_ns, length_ns = _held_ns(laid), _length_ns(laid)
    longest = sorted(sorted(length_ns), key=length_ns.__getitem__, reverse=True)
    failed = [request for request in longest if laid.requests[request].failure]
    first = sorted(
        held_ns,
        key=lambda request: (-held_ns[request], not laid.requests[request].failure, -length_ns[request], request),
    )
    return list(dict.fromkeys([*first, *failed, *longest]))


def left_out(laid: Lanes, requests: list[int]) -> str:
    """What is known of requests that are not drawn: `none blocked the loop; the longest took 170 ms`."""
    held_ns, length_ns = _held_ns(laid), _length_ns(laid)
    longest = duration(max((length_ns[request] for request in requests), default=0))
    took = f"it took {longest}" if len(requests) == 1 else f"the longest took {longest}"
    if failed := sum(bool(laid.requests[request].failure) for request in requests):
        took = f"{'it' if len(requests) == 1 else f'{failed:,}'} failed; {took}"
    if BLOCKED not in laid.rows[0].kinds:
        return took
    blockers = sum(request in held_ns for request in requests)
    if len(requests) == 1:
        return f"it {'blocked' if blockers else 'did not block'} the loop; {took}"
    return f"{f'{blockers:,}' if blockers else 'none'} blocked the loop; {took}"


def _held_ns(laid: Lanes) -> dict[int, int]:
    """For each request that blocked the loop, for how long in all."""
    held_ns: dict[int, int] = {}
    loop = laid.rows[0]
    kinds = loop.kinds.tobytes()
    at = kinds.find(BLOCKED)
    while at >= 0:
        if (request := loop.requests[at]) != NO_REQUEST:
            held_ns[request] = held_ns.get(request, 0) + loop.ends[at] - loop.starts[at]
        at = kinds.find(BLOCKED, at + 1)
    return held_ns


def _length_ns(laid: Lanes) -> dict[int, int]:
    lives = (zip(row.requests, row.starts, row.ends, strict=True) for row in laid.of("life"))
    return {request: end_ns - start_ns for row in lives for request, start_ns, end_ns in row}
