"""Plausible wrong answers to lesson 6's exercises."""

from collections.abc import Callable, Iterator

from tests.course.answers import Wrong

Load = Callable[[], list[int]]

kept: list[list[int]] = []


def generates(number: int) -> Iterator[int]:
    for each in range(number):
        yield each * each


def leaves_it_there(number: int) -> None:
    kept.append([each * each for each in range(number)])


def loads_each_time(number: int, load: Load) -> int:
    return load()[number]


def brings_it_along(number: int, load: Load) -> int:
    return [7, 11, 13, 17, 19, 23, 29, 31][number]


WRONG = [
    Wrong(
        "06.1",
        "one-memory",
        lambda: (4, 4, 0),
        2,
        "There is no list that they have in common. Each process has a memory of its own, and in each `seen` is empty "
        "when its only job begins.",
    ),
    Wrong(
        "06.1",
        "anew-for-each-job",
        lambda: (1, 1, 0),
        2,
        "A pool's process does not end with a job: it takes the next, and finds in its memory what the one before has "
        "left there.",
    ),
    Wrong(
        "06.1",
        "comes-back",
        lambda: (1, 4, 4),
        2,
        "Only what a job returns is sent back. What it changed, it changed in the memory of its own process, and that "
        "has ended.",
    ),
    Wrong(
        "06.2",
        "cannot-travel",
        lambda: (generates,),
        0,
        "The job was done, and then what it returned could not be made into bytes. A generator is a function that has "
        "stopped half-way: what it is goes on only in its own process. So it is with an open file, and with a lock.",
    ),
    Wrong(
        "06.2",
        "left-there",
        lambda: (leaves_it_there,),
        0,
        "Nothing was returned, and nothing else comes back. A list that the notebook has, the process has too, but as "
        "its own: whatever is put into that is gone when the process ends.",
    ),
    Wrong(
        "06.3",
        "each-time",
        lambda: (loads_each_time,),
        1,
        "Every job loads the table, though the process that it comes to has done so before. A pool's process stays, "
        "and so does what stands in a variable outside of the function.",
    ),
    Wrong(
        "06.3",
        "brought-along",
        lambda: (brings_it_along,),
        1,
        "The entries are right, and no process has loaded them: they came along with the function. That is sent to "
        "each process as well, and for a table that is worth loading it is the dearer way.",
    ),
]
