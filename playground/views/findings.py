"""What a finding is, and the pieces that its sentence is put together from. It knows no rule."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import fill
from typing import Final, Literal

from playground.views.wording import code_text, one_line

__all__ = ["Evidence", "Finding", "Findings", "Part", "Rule", "Severity", "code", "listed", "plain", "strong", "text"]

Severity = Literal["bad", "warn", "note"]
Rule = Literal[
    "loop-blocked",
    "sync-library",
    "threads-compute",
    "thread-queue",
    "pool-full",
    "late-wake",
    "task-starved",
    "lock-convoy",
    "awaits-in-a-row",
    "never-awaited",
    "never-retrieved",
    "deadline",
    "app-error",
    "no-answer",
    "server-error",
    "not-found",
    "job-raised",
    "job-pending",
]
Part = tuple[Literal["strong", "text", "code"], str]
# The width of a line that is read without effort, and of most terminals.
_WIDTH: Final = 80
# Stands for a space in code while lines are broken. No text of ours holds it: `one_line` lets nothing unprintable by.
_HARD: Final = "\x1f"
# More names than this in one sentence are not read; the last of them is then the number of the rest.
_MOST_NAMES: Final = 3
Evidence = tuple[Literal["steps", "handoffs", "requests", "tasks", "waits", "losses", "jobs"], int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that went wrong.

    Attributes:
        rule: which rule found it.
        severity: `bad`, `warn` or `note`.
        parts: its sentences in pieces of (style, text), in order; `str(finding)` joins them.
        start_ns, end_ns: the stretch of the run that it is about.
        evidence: the rows that say so, as (name of the table in the trace, index).
        suggestion: what to do about it, which is also how the sentences end.
    """

    rule: Rule
    severity: Severity
    parts: tuple[Part, ...]
    start_ns: int
    end_ns: int
    evidence: tuple[Evidence, ...]
    suggestion: str

    def __str__(self) -> str:
        return plain(self.parts)


_NONE: Final = (
    "No findings: nothing held the event loop for long, no call queued for a thread or came back late, and no "
    "exception left the app."
)
_NONE_OF_JOBS: Final = "No findings: every job came to its end, and nothing held an event loop for long."
_NONE_COMPUTES: Final = (
    "In virtual time computing takes none, but in playground.work or where Lab(app, charge_cpu=True) counts it: real "
    "time shows what computes for long."
)


class Findings(list[Finding]):
    """The findings on a run, the worst first: a list that reads as its sentences where it is shown.

    Args:
        found: the findings.
        virtual: whether the run was in virtual time, in which a call that computes cannot be seen to hold the loop.
        jobs: whether it carried out jobs of a workload.
        dropped: what its recorder let go of, in words; empty if nothing.
    """

    def __init__(
        self, found: Iterable[Finding] = (), *, virtual: bool = False, jobs: bool = False, dropped: str = ""
    ) -> None:
        super().__init__(found)
        self._dropped = f"The recorder dropped {dropped}: of these nothing is known." if dropped else ""
        self._virtual = virtual
        self._none = _NONE_OF_JOBS if jobs else _NONE

    def __repr__(self) -> str:
        none = f"{self._none} {_NONE_COMPUTES}" if self._virtual else self._none
        told = self.paragraphs(_WIDTH) or [fill(none, _WIDTH)]
        return "\n\n".join([*told, *([fill(self._dropped, _WIDTH)] if self._dropped else [])])

    def paragraphs(self, width: int, *, bullet: str = "") -> list[str]:
        """Each finding's sentences in lines of `width` characters, the first after `bullet`; code is not broken."""
        indent = " " * len(bullet)
        return [_filled(f"{bullet}{_unbroken(finding)}", width, indent) for finding in self]


def _unbroken(finding: Finding) -> str:
    """A finding's sentences with the spaces in code held together: what is broken cannot be copied."""
    pieces = (code_text(words).replace(" ", _HARD) if style == "code" else words for style, words in finding.parts)
    return "".join(pieces)


def _filled(words: str, width: int, indent: str) -> str:
    lines = fill(words, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return lines.replace(_HARD, " ")


def strong(words: str) -> Part:
    return "strong", words


def text(words: str) -> Part:
    return "text", words


def code(words: str) -> Part:
    """A name or a line from the app, on one line and cut to a length that a sentence bears."""
    return "code", one_line(words)


def plain(parts: Iterable[Part]) -> str:
    """Parts as plain text, code between backticks."""
    return "".join(code_text(words) if style == "code" else words for style, words in parts)


def listed(names: "Counter[str]") -> list[Part]:
    """Names in order of how often they came: `a`, `b` and `c`; of more, the rest is counted."""
    common = [name for name, _ in names.most_common()]
    shown = common if len(common) <= _MOST_NAMES else common[: _MOST_NAMES - 1]
    parts: list[Part] = []
    for place, name in enumerate(shown):
        if place:
            parts.append(text(" and " if place == len(common) - 1 else ", "))
        parts.append(code(name))
    if len(common) > len(shown):
        parts.append(text(f" and {len(common) - len(shown)} others"))
    return parts
