"""Pages of recordings, and where on them a thing is."""

import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.trace import Block, Trace
from playground.trace.columns import unpack
from playground.widgets.page import page
from tests.browser import Chromium
from tests.widgets.screen import Screen, opened

WIDE = {"viewport": {"width": 1300, "height": 900}, "reduced_motion": "reduce"}


def block_of(trace: Trace) -> Block:
    (block,) = trace.blocks()
    return block


def shown(chromium: Chromium, path: Path, trace: Trace, scenario: Callable[[Screen], Any], width: int = 1300) -> Any:
    """What a scenario says of a recording's page."""
    path.write_text(page(trace), encoding="utf-8")
    size = {"width": width, "height": 900}
    return chromium.run(opened(path.as_uri(), scenario), viewport=size, reduced_motion="reduce")


def sheets(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The packets of a page: tab, name and header of each; of one that was left out, what is said instead."""
    pattern = r'<script type="application/octet-stream" ([^>]*)>([^<]*)</script>'
    found = []
    for attributes, recording in re.findall(pattern, text):
        told = dict(re.findall(r'data-([a-z]+)="([^"]*)"', attributes))
        header = unpack(b64decode(recording))[0] if recording else {"note": told["note"]}
        found.append((told["tab"], told.get("name", ""), header))
    return found
