"""What answers to exercises are in these tests: what `check` is given, and for a wrong one, what it is to be told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Given = Callable[[], tuple[Any, ...]]
"""Makes what `check` is given, anew each time: a wrong answer's app may have been changed by a check."""


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong answer.

    Attributes:
        exercise: the exercise's id.
        mistake: the name of the mistake that it is.
        given: the answer.
        points: how many points it gets.
        why: the explanation, whole; a line of it that the recording names reads ` (at <the line>)`.
    """

    exercise: str
    mistake: str
    given: Given
    points: int
    why: str

    @property
    def name(self) -> str:
        return f"{self.exercise} {self.mistake}"
