"""Threads for input and output, processes for computing: the same jobs in a row, in threads and in processes.

It decides what a gain is, and when a machine is too small or too busy to tell. The jobs are timed in `ways`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from playground.models.claims.asked import check_count, check_seconds
from playground.models.claims.away import NotTriedError
from playground.models.claims.claim import Claim, Measured, Picture, Verdict
from playground.models.claims.rounds import Side, ratios, side, spread
from playground.models.claims.ways import CPU, IO, WAYS, Timed, has_lock, processors, time_ways
from playground.models.claims.words import listed, measured, told, unsure
from playground.views.claims_axis import figure_words

__all__ = ["Here", "threads_and_processes"]

_STATEMENT: Final = "Threads help where jobs wait for input and output; where they compute, it takes processes."
_PICTURE: Final = Picture("bars", "ns", "time for all jobs")
_GAIN: Final = 1.2
"""A fifth: less than that is not worth another way to write a program."""
_ENOUGH: Final = 1.5
"""Processors that processes must have had on average: with fewer, others were at work, and no gain says nothing."""
_AT_ONCE: Final = 0.1
"""Share of the time in which two could compute: below that, nothing can be gained by it."""
_SENTENCES: Final[dict[tuple[str, str], str]] = {
    (IO, "threads"): "Jobs that wait were {} as fast in threads as in a row",
    (CPU, "threads"): "jobs that compute {} in threads",
    (CPU, "processes"): "and {} in processes",
}


@dataclass(frozen=True, slots=True)
class Here:
    """What this machine and this Python are like.

    Attributes:
        processors: how many may be used; a container may be given parts of one.
        has_lock: whether threads take turns to compute.
    """

    processors: float
    has_lock: bool


def threads_and_processes(jobs: int = 6, cpu_s: float = 0.02, wait_s: float = 0.02, rounds: int = 9) -> Claim:
    """How long jobs that only wait, and jobs that only compute, take in a row, in threads and in processes.

    Each way has a child process of its own, and all take turns round by round; a speed-up is the ratio to the jobs in
    a row of the same round. The claim holds if threads are faster by a fifth at least for jobs that wait, and not for
    those that compute, for which processes are. It takes two processors that are free to tell, and a Python whose
    threads take turns.

    Takes about 10 s, and up to a minute on a machine that is busy; how far it has got is shown.

    Args:
        jobs: how many, at least two: of each a thread or a process is made.
        cpu_s: processor time of a job that computes, in seconds.
        wait_s: the wait of a job that waits, in seconds.
        rounds: how often each is timed; at least six, or no verdict can be given.

    Raises:
        ModelError: a number is of no use.
    """
    check_count("jobs", jobs, 6, least=2)
    check_seconds("cpu_s", cpu_s, 0.02, above_zero=True)
    check_seconds("wait_s", wait_s, 0.02, above_zero=True)
    check_count("rounds", rounds, 9)
    try:
        found = time_ways(jobs, cpu_s, wait_s, rounds)
    except NotTriedError as error:
        return Claim(_STATEMENT, "not here", str(error), {}, (), _PICTURE)
    names = {
        IO: f"{IO}: {jobs:,} jobs that wait {figure_words(wait_s * 1e9, 'ns')}",
        CPU: f"{CPU}: {jobs:,} jobs that compute for {figure_words(cpu_s * 1e9, 'ns')}",
    }
    return judged(found, Here(processors(), has_lock()), names)


def judged(found: Mapping[tuple[str, str], Timed], here: Here, names: Mapping[str, str]) -> Claim:
    """The claim, from what the rounds came to.

    Args:
        found: by (kind of job, way).
        here: the machine.
        names: what each kind of job is called.
    """
    gains = {
        (kind, way): ratios(found[kind, "sequential"].walls_ns, found[kind, way].walls_ns)
        for kind in (IO, CPU)
        for way in WAYS[1:]
    }
    rows = [_row(way, found[kind, way], names[kind], gains.get((kind, way))) for kind in (IO, CPU) for way in WAYS]
    sides = {key: side(gain, _GAIN) for key, gain in gains.items()}
    verdict, words = _verdict(sides, found, here)
    facts = ", ".join(said.format(told(spread(gains[key]), "times")) for key, said in _SENTENCES.items())
    sentence = " ".join(filter(None, [f"{facts}.", _evidence(found), words]))
    figures = {
        f"{'io' if kind == IO else 'cpu'}_{way}_speed_up": spread(gain).median for (kind, way), gain in gains.items()
    }
    figures["processors"] = here.processors
    return Claim(_STATEMENT, verdict, sentence, figures | _shares(found), rows, _PICTURE, _notes(here))


def _row(way: str, timed: Timed, group: str, gain: list[float] | None) -> Measured:
    name = "in a row" if way == "sequential" else way
    note = "" if gain is None else f"{figure_words(spread(gain).median, 'times')} as fast"
    return measured(name, spread(timed.walls_ns), group=group, note=note)


def _shares(found: Mapping[tuple[str, str], Timed]) -> dict[str, float]:
    shares = {
        "cpu_threads_parallel_share": found[CPU, "threads"].parallel_share,
        "cpu_threads_gil_share": found[CPU, "threads"].gil_share,
        "cpu_processes_parallel_share": found[CPU, "processes"].parallel_share,
        "cpu_processes_processors": found[CPU, "processes"].processors,
    }
    return {name: value for name, value in shares.items() if value is not None}


def _evidence(found: Mapping[tuple[str, str], Timed]) -> str:
    """Why that is, from the recordings, where they know."""
    threads, processes = found[CPU, "threads"], found[CPU, "processes"]
    if threads.parallel_share is None or threads.gil_share is None or processes.parallel_share is None:
        return ""
    shares = (threads.parallel_share, threads.gil_share, processes.parallel_share)
    apart, lock, together = (f"{share:.0%}" for share in shares)
    return (
        f"Two threads could compute at once for {apart} of the time, and waited for the interpreter's lock for {lock} "
        f"of what they took; two processes could for {together}."
    )


def _verdict(
    sides: Mapping[tuple[str, str], Side], found: Mapping[tuple[str, str], Timed], here: Here
) -> tuple[Verdict, str]:
    if not here.has_lock:
        return "not here", "This Python is free-threaded: its threads compute at once, as the claim says they do not."
    if sides[IO, "threads"] == "below":
        return "does not hold", "Threads are no gain where jobs wait."
    if sides[CPU, "threads"] == "above":
        together = found[CPU, "threads"].parallel_share
        if together is not None and together < _AT_ONCE:
            return "not here", "As threads took turns, that is the work of others on this machine."
        return "does not hold", "Threads are a gain where jobs compute."
    if here.processors < 2:
        few = f"this process may use {here.processors:g} of them"
        return "not here", f"What processes gain shows on two processors or more: {few}."
    if sides[CPU, "processes"] == "below":
        had = found[CPU, "processes"].processors
        if had is not None and had >= _ENOUGH:
            return "does not hold", f"Processes are no gain, though they had {had:.2g} processors on average."
        got = "it is not known how many these had" if had is None else f"these had {had:.2g} processors on average"
        return "not here", f"Processes gain only if processors are free for them: {got}."
    open_ = [f"{kind} in {way}" for (kind, way), one in sides.items() if one == "unsure" and (kind, way) in _SENTENCES]
    if open_:
        busy = f"The rounds lie too far apart to tell ({listed(open_)}): is the machine busy?"
        return "not here", unsure(len(found[CPU, "processes"].walls_ns), busy)
    return "holds", ""


def _notes(here: Here) -> list[str]:
    one = here.processors == 1
    processors = "1 processor" if one else f"{here.processors:g} processors"
    most = (
        "computing gets no faster than in a row" if one else f"computing gets {here.processors:g} times as fast at most"
    )
    return [
        "A thread or a process for each job; to start them is in the time.",
        f"This process may use {processors}: {most}.",
    ]
