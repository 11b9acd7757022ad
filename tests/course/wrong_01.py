"""Plausible wrong answers to lesson 1's exercises."""

from playground import Workload
from tests.course.answers import Wrong

CALL, READ, LOOPBACK = "function call", "4 KiB read, cached file", "byte over loopback and back"
SLEEP, PYTHON = "sleep of 1 ms", "Python, started and ended"

WRONG = [
    Wrong(
        "01.1",
        "slowest-first",
        lambda: ([PYTHON, SLEEP, LOOPBACK, READ, CALL],),
        0,
        "That is the order from the slowest to the quickest.",
    ),
    Wrong(
        "01.1",
        "a-file-is-a-disk",
        lambda: ([CALL, LOOPBACK, SLEEP, READ, PYTHON],),
        0,
        "A disk would be slow. But this file was written a moment ago, so the system still has it in memory, and to "
        "read it is to copy a page.",
    ),
    Wrong(
        "01.1",
        "a-sleep-is-long",
        lambda: ([CALL, READ, LOOPBACK, PYTHON, SLEEP],),
        0,
        "A millisecond of sleep does nothing, and still is short. To start a Python means a new process, and dozens of "
        "files and modules to load before the first line of yours.",
    ),
    Wrong(
        "01.1",
        "asking-is-calling",
        lambda: ([READ, CALL, LOOPBACK, SLEEP, PYTHON],),
        0,
        "To read and to send are calls too, and in each Python has to ask the operating system: it does all that a "
        "call does, and more.",
    ),
    Wrong(
        "01.2",
        "waiting-by-asking",
        lambda: (["report"],),
        2,
        "`poll` only wants time to pass, and still it computes: it asks the clock over and over. Waiting means that "
        "the system knows of it, and gives the processor to others.",
    ),
    Wrong(
        "01.2",
        "sleeping-computes",
        lambda: (["report", "fetch", "poll"],),
        2,
        "While it sleeps, a program is not on the processor at all: the system wakes it when its time has come.",
    ),
    Wrong(
        "01.2",
        "sums-are-free",
        lambda: (["poll"],),
        2,
        "Squares and sums are made by the processor, and by nothing else.",
    ),
    Wrong(
        "01.3",
        "quicker-computing",
        lambda: (Workload(jobs=1, cpu_s=0.005, wait_s=0.09),),
        0,
        "It computes for 10 ms of its 100: if that took no time at all, 90 ms would be left. What is quick already is "
        "not worth making quicker.",
    ),
    Wrong(
        "01.3",
        "both-halved",
        lambda: (Workload(jobs=1, cpu_s=0.005, wait_s=0.045),),
        0,
        "Both are halved. There is time for one: that is why one measures before one makes anything quicker.",
    ),
]
