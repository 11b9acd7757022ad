"""What is put before all that is ready, by threads that end others, while the loop goes through what is ready."""

import asyncio
import threading
from collections.abc import Callable

from playground.clock.loop import LabLoop
from playground.trace.recorder import recording


class Meddled(LabLoop):
    """A loop that another thread calls while handles are made of what is ready: each of these asks for the mode."""

    meddle: Callable[[], object] | None = None
    meddler: threading.Thread | None = None

    def get_debug(self) -> bool:
        if self.meddle is not None:
            self.meddler, self.meddle = threading.Thread(target=self.meddle), None
            self.meddler.start()
            self.meddler.join(0.1)  # not for longer: it waits in turn until the handles are made
        return super().get_debug()


def test_nothing_that_is_ready_is_lost_when_another_thread_comes_first_as_a_recording_ends() -> None:
    loop = Meddled()
    ran: list[object] = []

    async def noted(number: int) -> None:
        await asyncio.sleep(0)
        ran.append(number)

    async def main() -> None:
        with recording(loop):
            tasks = [loop.create_task(noted(number)) for number in range(3)]
            await asyncio.sleep(0)
            loop.meddle = lambda: loop.call_first_threadsafe(lambda: ran.append("first"))
        await asyncio.wait(tasks, timeout=5)

    loop.run_until_complete(main())
    assert loop.meddler is not None
    loop.meddler.join()
    loop.close()
    assert ran == ["first", 0, 1, 2]
