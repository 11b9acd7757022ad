"""What an exercise is: a small declared thing, of a question, what it takes, how that is tried, and rules to judge it.

It decides the shapes only. Trying runs somebody's code, which `trials` does in a lab of its own; rules and mistakes
are pure functions of what came of it. How a check goes through them, and how it reads, is decided elsewhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from playground.course.programs import Program
from playground.course.takes import Take
from playground.course.trials import Tried
from playground.trace import Trace

__all__ = ["Attempt", "Exercise", "Judge", "Mistake", "Rule"]


@dataclass(frozen=True)
class Attempt:
    """What was given, and what came of trying it.

    Attributes:
        given: the answer, as it was passed to `check`.
        tries: one for each run that was made of it, in order; none where the answer is only looked at.
        facts: what else the trial noted, by name.
        shown: which of the tries the picture is of.
        ways: by name, recordings that are shown in its place below one another on one axis.
    """

    given: tuple[Any, ...]
    tries: Sequence[Tried] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    shown: int = 0
    ways: Mapping[str, Trace] = field(default_factory=dict)

    @property
    def tried(self) -> Tried:
        """The try that the picture is of."""
        return self.tries[self.shown]

    @property
    def trace(self) -> Trace:
        """Its recording; an empty one, where the code failed before anything could be recorded."""
        return self.tried.trace or Trace()


Judge = Callable[[Attempt], str | None]
"""Gives what is wrong, in words, or `None` if nothing is."""


@dataclass(frozen=True)
class Rule:
    """One thing that is asked of an attempt.

    Attributes:
        asks: what is asked, as a clause: `nobody holds the loop`.
        judge: what is wrong with it.
        points: what keeping it is worth.
    """

    asks: str
    judge: Judge
    points: int = 1


@dataclass(frozen=True)
class Mistake:
    """A plausible mistake, with its own explanation.

    Attributes:
        name: what the tests call it, such as `forgotten-await`.
        explain: tells of it if it was made.
    """

    name: str
    explain: Judge


@dataclass(frozen=True)
class Exercise:
    """A question to somebody's code, or to somebody.

    Attributes:
        id: lesson and number, such as `09.1`.
        question: what is asked, in a line.
        takes: what `check` is to be given, besides the id.
        attempt: tries what was given.
        rules: what is asked of it. The first is the ground of the others: they are judged, and give points, only if
            that is kept.
        mistakes: what may have gone wrong, the most telling first.
        hints: one more for each failing check.
        program: what a prediction is about, if it is about a program.
    """

    id: str
    question: str
    takes: tuple[Take, ...]
    attempt: Callable[..., Attempt]
    rules: tuple[Rule, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    program: Program | None = None

    @cached_property
    def points(self) -> int:
        """What it is worth in all."""
        return sum(rule.points for rule in self.rules)

    @property
    def call(self) -> str:
        """How it is checked, as its student writes it."""
        return f'check("{self.id}", {", ".join(take.name for take in self.takes)})'
