"""Where an experiment's process was when it was killed or crashed: the student's own lines of what it wrote down.

The process cannot say it in Python then; `faulthandler` writes each thread's stack, innermost call first, from a signal
handler. Only the thread that the system stopped is marked.
"""

import linecache
import re
from pathlib import Path
from typing import Final

from playground.code import is_own, short_name
from playground.models import child

__all__ = ["own_stack"]

_LINE: Final = re.compile(r'  File "(.+)", line (\d+) in (.+)')
_OURS: Final = child.__file__


def own_stack(path: Path) -> str:
    """The user's own lines of the thread that was running, in the form of a traceback; empty if there are none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    stacks = re.split(r"^(?=Current thread|Thread)", text, flags=re.MULTILINE)[1:]
    stacks.sort(key=lambda stack: not stack.startswith("Current"))
    told = [lines for lines in map(_own_lines, stacks) if lines]
    return "Where it was (most recent call last):\n" + "".join(told[0]) if told else ""


def _own_lines(stack: str) -> list[str]:
    places: list[tuple[str, int, str]] = []
    for match in filter(None, map(_LINE.fullmatch, stack.splitlines())):
        file, line, function = match.groups()
        if file == _OURS:
            break  # what is further out has called us
        places.append((file, int(line), function))
    return [_shown(file, line, function) for file, line, function in reversed(places) if is_own(file)]


def _shown(file: str, line: int, function: str) -> str:
    text = linecache.getline(file, line).strip()
    return f'  File "{short_name(file)}", line {line}, in {function}\n' + (f"    {text}\n" if text else "")
