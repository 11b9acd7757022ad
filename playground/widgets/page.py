"""A recording's views as one HTML file: opens from disk, asks nothing of any network, needs no Jupyter.

The page holds the same bundle as the widgets and the same packets of bytes, one for each view; tabs show one at a time,
and only what is shown is unpacked. Its security policy admits exactly that script and that style, by their hashes, and
nothing from anywhere else; where scripts are off, the static picture stands in. What comes from an app gets in as
base64, as escaped attributes, or through `views.svg`. It decides how much a page holds, and says what it left out.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from playground.trace import Request, Trace
from playground.views.compare import Compared
from playground.views.comparison import TITLE, packed
from playground.views.comparison_svg import svg as comparison_svg
from playground.views.packet import packet
from playground.views.stacked import TITLE as STACKED
from playground.views.stacked import stack
from playground.views.stacked_packet import packed as stacked_packed
from playground.views.stacked_svg import svg as stacked_svg
from playground.views.svg import svg
from playground.views.theatre import theatre_packet
from playground.views.waterfall import waterfall_packet
from playground.views.wording import counted, duration, failure, one_line, request_label

__all__ = ["comparison_page", "page", "stacked_page"]

_BUNDLE = Path(__file__).parent / "static" / "views.js"

_MOST_WATERFALLS: Final = 20
"""Requests of which a page holds the waterfall, a few kilobytes each: as many as a reader picks among."""

_MOST_STEPS: Final = 50_000
"""Steps of a run that a page holds the theatre of, 15 bytes each: nobody steps through more, and they take time."""


_LONGEST_TITLE: Final = 300  # a tab of a browser shows a tenth of it


class _Sheet(NamedTuple):
    """One packet of a page: the tab that it belongs to, what it is called in it, and what is said of the tab."""

    tab: str
    name: str
    packet: bytes
    note: str = ""


_STYLE = """
body { margin: 0; padding: 16px; background: #fff; color: #1b2430; font: 14px system-ui, sans-serif; }
h1 { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); }
[role=tablist] { display: flex; flex-wrap: wrap; gap: 4px; margin: 0 0 10px; }
[role=tab], select {
  padding: 6px 14px; border: 1px solid #c3cad3; border-radius: 7px; background: none; color: inherit; font: inherit;
}
[role=tab] { cursor: pointer; }
[role=tab][aria-selected=true] { border-color: #0447a3; box-shadow: inset 0 -3px #0447a3; font-weight: 600; }
.pick { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; margin: 0 0 10px; }
select { max-width: 100%; padding: 5px 8px; background: #fff; }
:focus-visible { outline: 2px solid #0447a3; outline-offset: 1px; }
@media (prefers-color-scheme: dark) {
  body { background: #0c0c0c; color: #e8ecf1; }
  [role=tab], select { border-color: #4a525d; }
  [role=tab][aria-selected=true] { border-color: #8ab8ff; box-shadow: inset 0 -3px #8ab8ff; }
  select { background: #1a1d21; }
  :focus-visible { outline-color: #8ab8ff; }
}
"""

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="$policy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main><h1>$title</h1><div id="playground-view" data-testid="view" data-title="$title"></div></main>
<noscript>$picture</noscript>
$recordings
<script type="module">$script</script>
</body>
</html>
""")


def page(trace: Trace, title: str | None = None) -> str:
    """A recording's page as text: its timeline, its theatre, and the waterfalls of some of its requests.

    Args:
        trace: the recording.
        title: of the page; the recording's own by default.
    """
    return _page(trace.title if title is None else title, svg(trace), [*_sheets(trace)])


def comparison_page(traces: Mapping[str, Trace]) -> str:
    """The page of runs side by side, by their names, in order: the first is what the others are held against."""
    compared = Compared(traces)
    return _page(TITLE, comparison_svg(compared), [_Sheet(TITLE, "", packed(compared))])


def stacked_page(traces: Mapping[str, Trace], title: str = STACKED) -> str:
    """The page of ways to run the same jobs, by their names."""
    stacked = stack(traces)
    return _page(title, stacked_svg(stacked, title=title), [_Sheet(STACKED, "", stacked_packed(stacked, title))])


def _sheets(trace: Trace) -> Iterator[_Sheet]:
    if trace.jobs:
        yield _Sheet("Jobs", "", stacked_packed(stack({trace.title: trace}), trace.title))
    if trace.steps or not trace.jobs:
        yield _Sheet("Timeline", "", packet(trace))
    if 0 < len(trace.steps) <= _MOST_STEPS:
        yield _Sheet("Theatre", "", theatre_packet(trace))
    elif trace.steps:
        yield _Sheet("Theatre", "", b"", f"Left out of this page: {counted(len(trace.steps), 'step')} are no play.")
    chosen = _chosen(trace)
    note = ""
    if len(chosen) < len(trace.requests):
        of = counted(len(trace.requests), "request")
        note = f"{len(chosen)} of {of}: those that blocked the loop, those that failed, then the slowest."
    for index in chosen:
        yield _Sheet("Requests", _name(trace, trace.requests[index]), waterfall_packet(trace, index), note)


def _chosen(trace: Trace) -> list[int]:
    """Indexes of the requests that a reader looks for first, in order."""
    blockers = {trace.request_of.get(block.task) for block in trace.blocks() if block.task is not None}

    def rank(index: int) -> tuple[bool, bool, int]:
        request = trace.requests[index]
        return index not in blockers, not failure(request), -_length_ns(trace, request)

    return sorted(sorted(range(len(trace.requests)), key=rank)[:_MOST_WATERFALLS])


def _length_ns(trace: Trace, request: Request) -> int:
    return (trace.duration_ns if request.end_ns is None else request.end_ns) - request.start_ns


def _name(trace: Trace, request: Request) -> str:
    failed = f" × {failure(request)}" if failure(request) else ""
    return f"#{request.number} {one_line(request_label(request))}{failed}, {duration(_length_ns(trace, request))}"


def _page(title: str, picture: str, sheets: list[_Sheet]) -> str:
    script = _BUNDLE.read_text(encoding="ascii")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_allow(script)}",
            f"style-src {_allow(_STYLE)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return _PAGE.substitute(
        policy=policy,
        title=escape(one_line(title, _LONGEST_TITLE)),
        style=_STYLE,
        picture=picture,
        recordings="\n".join(map(_recording, sheets)),
        script=script,
    )


def _recording(sheet: _Sheet) -> str:
    attributes = {"data-tab": sheet.tab, "data-name": sheet.name, "data-note": sheet.note}
    told = " ".join(f'{name}="{escape(words)}"' for name, words in attributes.items() if words)
    return f'<script type="application/octet-stream" {told}>{b64encode(sheet.packet).decode("ascii")}</script>'


def _allow(text: str) -> str:
    """An inline script or style, as a Content-Security-Policy names it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
