"""The latency ladder: input and output take far longer than computing, rung by rung on an axis by powers.

It decides what is held against what, and in which words. How each rung is done stands in `rungs`.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from playground.models.claims.asked import check_seconds
from playground.models.claims.away import NotTriedError, away
from playground.models.claims.claim import Claim, Picture, Verdict
from playground.models.claims.rounds import Spread, spread
from playground.models.claims.rungs import NAMES, climb
from playground.models.claims.words import listed, measured, missing, told
from playground.views.claims_axis import figure_words

__all__ = ["latency_ladder"]

_STATEMENT: Final = "Input and output take far longer than computing."
_PICTURE: Final = Picture("ladder", "ns", "time of one operation, waits included")
_COMPUTING: Final = ("attribute", "dict", "call", "near")
_INPUT_OUTPUT: Final = ("read", "loopback", "fsync")
_WORDS: Final = {
    "attribute": "an attribute look-up",
    "dict": "a dict look-up",
    "call": "a function call",
    "near": "a byte of a small array",
    "read": "reading 4 KiB of a file in memory",
    "loopback": "a byte over loopback and back",
    "fsync": "writing 4 KiB and syncing it",
}
_FAR: Final = 10.0
"""`Far longer` is a power of ten at least: one mark of the ladder's axis."""
_NETWORK: Final = missing("answer of another machine", "this asks no network")
_NOTES: Final = (
    "As long as so many calls: of a function that does nothing.",
    "Each rung takes in the Python around it: the turn of a loop, the call of a function, the switch to the system.",
    "The file that is read is in memory, and both ends of the loopback are in one thread: nobody is waited for.",
    "A sync is over when the system says so; whether the disk has it in a memory of its own is not known here.",
)
_IN_MEMORY: Final = ("tmpfs", "ramfs")


def latency_ladder(budget_s: float = 1.0) -> Claim:
    """How long one operation takes here, from an attribute's look-up to the start of a Python.

    Each rung is measured in a child process, in at least five rounds that go from rung to rung; of each the median
    and the quartiles are kept. The claim holds if the quickest of what reads or writes (a file in memory, a byte over
    loopback, a file of the temporary folder that is synced) takes ten times as long as the slowest of what computes
    (a look-up, a function call, a byte in the nearest cache).

    Args:
        budget_s: about how long to measure, in seconds; what is slow is measured five times nevertheless.

    Raises:
        ModelError: that is no number of seconds.
    """
    check_seconds("budget_s", budget_s, 1)
    try:
        found = away(climb, budget_s, timeout_s=30 + 10 * budget_s)
    except NotTriedError as error:
        return Claim(_STATEMENT, "not here", str(error), {}, (), _PICTURE)
    spreads = {key: spread(values) for key, values in found.items() if not isinstance(values, str)}
    absent = {key: why for key, why in found.items() if isinstance(why, str)}
    return judged(spreads, absent, kind_of_folder(gettempdir()))


def kind_of_folder(folder: str, table: str = "/proc/self/mounts") -> str:
    """The kind of file system that a folder is on: `ext4`; empty where the system has no table of them."""
    try:
        lines = Path(table).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    mounts = [(Path(where.replace("\\040", " ")), kind) for _, where, kind, *_ in map(str.split, lines)]
    inside = [
        (len(where.parts), at, kind) for at, (where, kind) in enumerate(mounts) if Path(folder).is_relative_to(where)
    ]
    return max(inside)[2] if inside else ""


def judged(found: Mapping[str, Spread], absent: Mapping[str, str], folder: str = "") -> Claim:
    """The claim, from the rungs that were measured, in ns, and the reasons of those that were not.

    Args:
        folder: the kind of file system that was written to, if it is known.
    """
    verdict, sentence = _verdict(found)
    rows = [measured(NAMES[key], one, note=_in_calls(key, one, found)) for key, one in found.items()]
    rows.sort(key=lambda row: row.median or 0.0)
    rows += [missing(NAMES[key], why) for key, why in absent.items()]
    figures = {f"{key}_ns": one.median for key, one in found.items()}
    notes = [
        *_NOTES,
        *([f"The temporary folder is in memory ({folder}): a sync waits for no disk."] * (folder in _IN_MEMORY)),
    ]
    return Claim(_STATEMENT, verdict, sentence, figures, (*rows, _NETWORK), _PICTURE, notes)


def _verdict(found: Mapping[str, Spread]) -> tuple[Verdict, str]:
    computing = [found[key] for key in _COMPUTING if key in found]
    outside = sorted((key for key in _INPUT_OUTPUT if key in found), key=lambda key: found[key].median)
    if not computing or not outside:
        return "not here", "Nothing that computes, or nothing that reads or writes, could be measured here."
    least, most = found[outside[0]], max(computing, key=lambda one: one.median)
    slowest = next(key for key in _COMPUTING if found.get(key) is most)
    times = figure_words(least.median / most.median, "times")
    facts = f"{_WORDS[outside[0]]} took {told(least, 'ns')}, {times} as long as {_WORDS[slowest]}, {told(most, 'ns')}"
    facts = facts[0].upper() + facts[1:]
    rest = [f"{_WORDS[key]} {told(found[key], 'ns')}" for key in outside[1:]]
    facts += f"; {listed(rest)}." if rest else "."
    if least.low / most.high >= _FAR:
        return "holds", facts
    if least.high / most.low < _FAR:
        return "does not hold", f"{facts} Far longer would be ten times as long."
    return "not here", f"{facts} The rounds lie too far apart to tell whether that is ten times as long."


def _in_calls(key: str, one: Spread, found: Mapping[str, Spread]) -> str:
    """As long as how many function calls: a measure that a programmer has a feeling for."""
    if key == "call" or "call" not in found:
        return ""
    calls = float(f"{one.median / found['call'].median:.2g}")  # three digits would be finer than the rounds are
    return f"as long as {figure_words(calls, 'count')} calls"
