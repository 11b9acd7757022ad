"""What stands in for locks and for `sleep` in virtual time refuses what Python's own does, in the same words."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio.to_thread
import pytest

from playground import Lab
from playground.errors import LabError
from tests.clock.virtually import virtually


def in_a_worker(function: Callable[[], Any]) -> Any:
    """What a function gives on a worker thread in virtual time."""

    async def main() -> Any:
        return await anyio.to_thread.run_sync(function)

    return virtually(main).result


def refusal(call: Callable[[], object]) -> list[str]:
    """The words up to where Python's releases differ."""
    with pytest.raises(ValueError, match=r"\w") as told:
        call()
    return str(told.value).split()[:4]


@pytest.mark.parametrize(
    "call",
    [
        lambda: threading.Lock().acquire(False, 1),
        lambda: threading.Lock().acquire(True, -2),
        lambda: time.sleep(-1),
    ],
    ids=["a timeout that cannot be", "a timeout before now", "a sleep that ends before it begins"],
)
def test_what_makes_no_sense_is_refused_as_in_real_time(call: Callable[[], object]) -> None:
    assert in_a_worker(lambda: refusal(call)) == refusal(call)


def test_a_lock_tells_whether_it_is_held() -> None:
    def looks() -> list[tuple[bool, str]]:
        lock = threading.Lock()
        told = [(lock.locked(), repr(lock))]
        with lock:
            told.append((lock.locked(), repr(lock)))
        return told

    (free, was_free), (held, was_held) = in_a_worker(looks)
    assert (free, held) == (False, True)
    assert re.fullmatch(r"<unlocked Lock at 0x[0-9a-f]+>", was_free)
    assert re.fullmatch(r"<locked Lock at 0x[0-9a-f]+>", was_held)


@pytest.mark.parametrize("seed", ["1", 1.0, True])
def test_a_seed_is_a_whole_number(seed: Any) -> None:
    kind = type(seed).__name__
    with pytest.raises(LabError, match=rf"^expected a whole number as seed, got {kind}: give one, such as 0$"):
        Lab(lambda scope, receive, send: None, clock="virtual", seed=seed)
