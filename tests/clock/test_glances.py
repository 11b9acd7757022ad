"""Code that looks at the clock until it says something else goes on in virtual time too, and costs others nothing."""

import asyncio
import concurrent.futures
import time

import pytest

from playground import App, Lab
from tests.clock.virtually import recorded_virtually, virtually


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass  # the line


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_wait_that_only_looks_at_the_clock_ends_when_its_time_is_over(in_thread: bool) -> None:
    async def main() -> None:
        if in_thread:
            await asyncio.to_thread(spin, 0.2)
        else:
            spin(0.2)

    assert 0.2 <= virtually(main).time_s <= 0.200_02


def test_others_go_on_meanwhile_at_their_moments() -> None:
    async def main() -> list[float]:
        at: list[float] = []

        def others() -> None:
            for _ in range(3):
                time.sleep(0.05)
                at.append(time.monotonic())

        await asyncio.gather(asyncio.to_thread(others), asyncio.to_thread(spin, 0.2), asyncio.sleep(0.12))
        return at

    ran = virtually(main)
    assert ran.result == [0.05, 0.1, 0.15]
    assert 0.2 <= ran.time_s <= 0.200_02


def test_a_loop_that_is_held_up_so_is_a_block_at_its_line() -> None:
    async def main() -> None:
        spin(0.2)

    (block,) = recorded_virtually(main).blocks()
    assert block.duration_ns == pytest.approx(200_000_000, abs=20_000)
    assert block.site is not None
    assert block.site.function == "spin"


def test_a_timeout_that_asks_again_at_the_last_moment_ends() -> None:
    async def main() -> None:
        def completed() -> None:
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                slow = pool.submit(time.sleep, 9)
                with pytest.raises(TimeoutError):
                    list(concurrent.futures.as_completed([slow], timeout=1))

        await asyncio.to_thread(completed)

    assert virtually(main).time_s == pytest.approx(9)


@pytest.mark.slow
def test_many_that_look_now_and_then_take_no_time() -> None:
    app = App()

    @app.get("/")
    async def index() -> str:
        return f"{time.monotonic()} {time.perf_counter()} {time.time()}"

    @app.get("/plain")
    def plain() -> str:
        return f"{time.monotonic()} {time.perf_counter()} {time.time()}"

    with Lab(app, clock="virtual") as lab:
        for path in ("/", "/plain"):
            run = lab.burst(path, 3_000)
            assert {request.end_ns for request in run.trace.requests} == {0}
