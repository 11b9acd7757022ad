"""An app that names all it can name by markup and script, and what a page must do with it: show it, never run it.

Each text is a probe: were any of it taken for markup, `window.hacked` would be set or a dialog opened, wherever that
is.
"""

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio.to_thread

from playground import App, Lab
from playground.run import Run

__all__ = ["NASTY", "PROBES", "SPEAKABLE", "hostile_run", "is_harmless"]

_HACK = "window.hacked=1;alert(1)"

# What breaks out of an element, an attribute, a script, a comment, CDATA, a template; what a viewer may decode twice;
# and what is no markup at all but makes text unreadable: direction marks, control characters, halves of a pair.
PROBES = {
    "script": f"<script>{_HACK}</script>",
    "image": f"<img src=x onerror={_HACK}>",
    "end": f"</script></style></title></svg><svg onload={_HACK}>",
    "attribute": f"\"' onmouseover={_HACK} x=\"'",
    "cdata": "]]><!--",
    "entities": "&lt;b&gt;&amp;#60;&nbsp;",
    "template": "${1}`{{7*7}}{%x%}%s",
    "right to left": "\u202egnp.exe\u202c\u2066\u200f",
    "control": "\x00\x07\x1b[31m\x9b\x7f\r\n\t\u2028",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 e\u0301",
    "surrogate": "\udc00 \ud800",
}

NASTY = "".join(PROBES.values())

# What a header, a file and a class may be called by.
SPEAKABLE = "".join(character for character in NASTY if character.isprintable() and character.isascii()).strip()

# A path of a URL has neither halves of a pair nor, where a route is to match it, a newline.
_PATH = quote(NASTY.encode("utf-8", "replace").replace(b"\n", b""), safe="")


class _Layer:
    """A middleware that hands on; its subclasses bear other names."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def hostile_run(scratch: Path) -> Run:
    """A run of an app in a real lab: paths, headers, bodies, names of tasks, coroutines, files and errors are nasty.

    Args:
        scratch: a folder, in which a file of a nasty name is made.
    """
    app = App()
    layer: Any = type(SPEAKABLE, (_Layer,), {})
    app.add_middleware(layer)
    file = scratch / SPEAKABLE.replace("/", "\u2215")[:60]
    file.write_text(f"import time\n\ndef block():\n    time.sleep(0.08)  # {SPEAKABLE}\n", encoding="utf-8")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)

    async def later() -> None:
        await asyncio.sleep(0.002)

    def in_a_thread() -> None:
        time.sleep(0.003)

    later.__qualname__ = in_a_thread.__qualname__ = later.__name__ = in_a_thread.__name__ = NASTY

    @app.get("/block/{rest:path}")
    async def block(rest: str) -> dict[str, str]:
        names["block"]()
        return {rest: SPEAKABLE}

    @app.get("/thread/{rest:path}")
    async def thread(rest: str) -> dict[str, str]:
        await anyio.to_thread.run_sync(in_a_thread)
        await asyncio.create_task(later(), name=NASTY)
        return {rest: SPEAKABLE}

    @app.get("/error/{rest:path}")
    async def error(rest: str) -> None:
        raise type(SPEAKABLE, (RuntimeError,), {})(NASTY)

    with Lab(app, clock="real") as lab:

        async def all_of_them() -> None:
            headers = {"x-nasty": SPEAKABLE, "cookie": SPEAKABLE}
            asked = [
                lab.client.request("GET", f"/{kind}/{_PATH}", headers=headers, params={"q": SPEAKABLE})
                for kind in ("thread", "block", "thread", "error")
            ]
            await asyncio.gather(*asked, return_exceptions=True)

        run = lab.run(all_of_them)
    run.trace.title = NASTY
    return run


def is_harmless(text: str) -> bool:
    """Whether a text may go to a terminal or a file: no control characters but line ends, no direction marks, whole."""
    return all(character.isprintable() or character in "\n\u200d" for character in text)  # what joins emoji stays
