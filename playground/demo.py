"""The first notebook's story, told in a terminal: fifty requests at once to an app with one mistake in it.

It decides what the app does and which requests are sent. It refuses to judge: what went wrong is read from
the recording by the diagnosis, as it would be for anyone's app.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from playground.app import App
from playground.lab import Lab
from playground.terminal import harmless
from playground.views.text import report as report_of

__all__ = ["app", "fifty", "tell"]

app = App()


@app.get("/hello/{name}")
async def hello(name: str) -> dict[str, str]:
    """Waits the right way: the loop is free meanwhile."""
    await asyncio.sleep(0.02)
    return {"hello": name}


@app.get("/export")
def export() -> str:
    """A plain function blocks no one but its own worker thread."""
    time.sleep(0.05)
    return "exported"


@app.get("/report")
async def report() -> str:
    """The mistake: a blocking call on the event loop."""
    time.sleep(0.2)
    return "reported"


def fifty(index: int) -> str:
    """Which path the request with this index asks for: one report, four exports, forty-five hellos."""
    if index == 10:
        return "/report"
    return "/export" if index % 10 == 0 else "/hello/Ada"


def tell(say: Callable[[str], object], *, html: Path | None, width: int) -> None:
    """Run the story and say what happened.

    Args:
        say: takes each piece of text.
        html: where to write the interactive timeline; `None` for nowhere.
        width: how many characters wide the text timeline may be.

    Raises:
        OSError: `html` cannot be written.
    """
    with Lab(app) as lab:
        run = lab.burst(fifty, n=50)
    run.title = "Fifty requests at once"
    say(report_of(run.trace, width=width))
    if html is not None:
        run.trace.to_html(html)
        say(harmless(f"\nThe interactive timeline is in {html}. It opens from disk, in any browser."))
