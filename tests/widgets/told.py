"""What the timeline's panel tells of each span: read from a packet by the bundle that ships (see told.mjs)."""

import json
import subprocess
from pathlib import Path
from typing import Any

from playground.trace import Trace
from playground.views.packet import packet
from tests.widgets.test_node import HERE, node

Told = dict[tuple[str, int, int], dict[str, list[Any]]]


def told_of(trace: Trace, tmp_path: Path) -> tuple[Told, list[list[dict[str, Any]]]]:
    """What the panel tells of each span, by row and place: the parts of each entry by its term."""
    path = tmp_path / "told.bin"
    path.write_bytes(packet(trace))
    done = subprocess.run([node(), HERE / "told.mjs", path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    told = {
        (group, lane, index): {term: parts for term, *parts in entries} for group, lane, index, entries in found["told"]
    }
    return told, found["messages"]


def words(parts: list[Any]) -> str:
    return "".join(part[0] if isinstance(part, list) else part for part in parts)
