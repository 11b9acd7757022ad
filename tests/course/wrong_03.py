"""Plausible wrong answers to lesson 3's exercises."""

import time

from tests.course.answers import Wrong


def asks_the_clock(number: int) -> int:
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        time.sleep(0)
    return number


def too_short(number: int) -> int:
    time.sleep(0.01)
    return number


WRONG = [
    Wrong(
        "03.1",
        "all-compute",
        lambda: (4, 4),
        1,
        "That they are all begun does not mean that they all compute: only the thread that has the interpreter's lock "
        "does, and the others want it.",
    ),
    Wrong(
        "03.1",
        "a-processor-each",
        lambda: (4, 2),
        1,
        "It does not matter how many processors there are: there is one interpreter's lock, and only who has it "
        "computes.",
    ),
    Wrong(
        "03.1",
        "one-after-another",
        lambda: (1, 1),
        1,
        "That would be one by one. A thread has to give the lock away after some milliseconds if others want it, so "
        "all of them get on, in turns, and none is over before the others are begun.",
    ),
    Wrong(
        "03.2",
        "asks-the-clock",
        lambda: (asks_the_clock,),
        2,
        "It waits by asking the clock, and to ask is to compute: each thread wants the lock all the time, and takes it "
        "from those that have something to do. A thread that sleeps wants nothing.",
    ),
    Wrong(
        "03.2",
        "too-short",
        lambda: (too_short,),
        2,
        "It returns before its 100 ms are over: whoever relies on that wait finds nothing ready.",
    ),
    Wrong(
        "03.3",
        "threads-share-a-lock",
        lambda: ("threads",),
        1,
        "These are threads of one interpreter, which has one lock: they only compute in turns, and pass the lock "
        "around besides.",
    ),
    Wrong(
        "03.3",
        "one-loop",
        lambda: ("asyncio",),
        1,
        "An event loop is one thread. It has nothing to gain from jobs that compute: they never wait.",
    ),
    Wrong(
        "03.3",
        "green-threads",
        lambda: ("greenlet",),
        1,
        "Green threads take turns in one thread of the system, and only where one of them waits.",
    ),
    Wrong(
        "03.3",
        "in-a-row",
        lambda: ("sequential",),
        0,
        "One by one, a job is over before the next is begun.",
    ),
]
