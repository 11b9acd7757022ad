"""What a finding is, and the pieces that its sentence is put together from. It knows no rule."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from playground.views.wording import code_text, one_line

__all__ = ["Evidence", "Finding", "Part", "Rule", "Severity", "code", "listed", "plain", "strong", "text"]

Severity = Literal["bad", "warn", "note"]
Rule = Literal["loop-blocked", "thread-queue", "late-wake"]
Part = tuple[Literal["strong", "text", "code"], str]
Evidence = tuple[Literal["steps", "handoffs", "requests", "tasks"], int]


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


def listed(names: "Counter[str]", *, most: int = 3) -> list[Part]:
    """Names in order of how often they came: `a`, `b` and `c`; beyond `most`, the rest is counted."""
    common = [name for name, _ in names.most_common()]
    shown = common if len(common) <= most else common[: most - 1]
    parts: list[Part] = []
    for place, name in enumerate(shown):
        if place:
            parts.append(text(" and " if place == len(common) - 1 else ", "))
        parts.append(code(name))
    if len(common) > len(shown):
        parts.append(text(f" and {len(common) - len(shown)} others"))
    return parts
