"""The words on the page of the loop theatre that are no sentence of a step: titles, buttons, questions and answers.

A page gets them in its packet, so that there is one list of them, and the bundle of all views stays small.
"""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["WORDS"]

WORDS: Final[Mapping[str, Any]] = {
    "columns": [
        ("ready", "Ready queue", "next in line runs next"),
        ("running", "Running now", "one at a time"),
        ("waiting", "Waiting", "the loop does nothing for these"),
        ("workers", "Worker threads", "run beside the loop"),
        ("done", "Done", "the last to end first"),
    ],
    "empty": "none",
    "more": "more",
    "no_source": "Its source is not to be had.",
    # beside cards
    "instant": "takes no time",
    "after": "after queueing for",
    "of": "of",
    "queued": "queued",
    "proxy": "wake-up queued",
    "idle": "idle",
    "unused": "not used yet",
    "asking": "queued for a thread",
    # going from step to step: what is on each button, what it does, the same with its key, and that as browsers call it
    "step": "step",
    "over": "The recording is over.",
    "buttons": [
        ("Predict", "Predict: hide what comes next until you have chosen", "Predict what runs next", ""),
        ("«", "First step", "First step (Home)", "Home"),
        ("‹", "Step back", "Step back (left arrow)", "ArrowLeft"),
        ("▶", "Play", "Play and pause (Space)", " "),
        ("›", "Step", "Step (right arrow)", "ArrowRight"),
        ("»", "Last step", "Last step (End)", "End"),
    ],
    "pause": ("❚❚", "Pause"),
    "speed": "Speed",
    # milliseconds between two moves, steps in a move
    "speeds": [
        ("slow", 2400, 1),
        ("normal", 1200, 1),
        ("fast", 400, 1),
        ("10 a second", 100, 1),
        ("100 a second", 50, 5),
    ],
    "keys": (
        "Arrow keys go from step to step, Home and End to the first and the last; Space plays and pauses. While it is "
        "asked what runs next, a digit chooses."
    ),
    # guessing
    "ask": "What runs next?",
    "none": "None of these",
    "right": "Right:",
    "wrong": "Not so. Next is",
    "notes": {"queued": "in the ready queue", "none": "something from outside"},
    "why": {
        "queued": "it was first in the ready queue.",
        "waiting": "what it waited for was over first.",
        "none": "it came from outside of what is shown.",
    },
    "why_not": {"queued": "stands further back in the queue.", "waiting": "still waits.", "none": ""},
    "rights": "right",
    "wrongs": "wrong",
}
