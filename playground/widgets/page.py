"""The timeline as one HTML file: opens from disk, asks nothing of any network, needs no Jupyter.

The page holds the same bundle as the widget and the same packet of bytes. Its security policy admits exactly
that script and that style, by their hashes, and nothing from anywhere else; where scripts are off, the static
picture stands in. What comes from an app gets in as base64, as an escaped title, or through `views.svg`.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from playground.trace import Trace
from playground.views.compare import Compared
from playground.views.comparison import TITLE, compare_packet
from playground.views.comparison_svg import svg as comparison_svg
from playground.views.packet import packet
from playground.views.svg import svg
from playground.views.wording import one_line

__all__ = ["comparison_page", "page"]

_BUNDLE = Path(__file__).parent / "static" / "views.js"

_STYLE = """
body { margin: 0; padding: 16px; background: #fff; font: 14px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { body { background: #0c0c0c; color: #e8ecf1; } }
h1 { position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); }
"""

_TITLE_LENGTH = 200  # no tab shows more; an app may name a run by anything, halves of characters too

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
<script type="application/octet-stream" id="playground-recording">$recording</script>
<script type="module">$script</script>
</body>
</html>
""")


def page(trace: Trace, title: str | None = None) -> str:
    """A recording's page as text.

    Args:
        trace: the recording.
        title: of the page; the recording's own by default.
    """
    return _page(trace.title if title is None else title, svg(trace), packet(trace))


def comparison_page(traces: Mapping[str, Trace], title: str = TITLE) -> str:
    """The page of runs side by side; `traces` as `playground.views.comparison` takes them."""
    return _page(title, comparison_svg(Compared(traces)), compare_packet(traces, title))


def _page(title: str, picture: str, recording: bytes) -> str:
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
        title=escape(one_line(title, _TITLE_LENGTH)),
        style=_STYLE,
        picture=picture,
        recording=b64encode(recording).decode("ascii"),
        script=script,
    )


def _allow(text: str) -> str:
    """An inline script or style, as a Content-Security-Policy names it."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
