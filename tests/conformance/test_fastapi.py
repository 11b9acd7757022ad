"""FastAPI on top of `playground.web`, in Starlette's place, serves its tutorial as it does on Starlette."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TELL = "from tests.conformance.fastapi_tutorial import tell; tell()"
ON_OURS = (
    f"from tests.conformance.starlettes_place import take; take(); {TELL}; import starlette.routing as routing; "
    "assert routing.Router.__module__ == 'playground.web.routing', routing"
)


def answers(program: str) -> list[Any]:
    """What the tutorial's apps answer, in a process of their own: an alias of modules is for a whole process."""
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    told: list[Any] = json.loads(done.stdout)
    return told


@pytest.mark.slow
def test_fastapi_serves_its_tutorial_on_our_toolkit() -> None:
    pytest.importorskip("fastapi")
    ours, theirs = answers(ON_OURS), answers(TELL)
    assert len(ours) == len(theirs) > 50
    for our_answer, their_answer in zip(ours, theirs, strict=True):
        assert our_answer == their_answer
