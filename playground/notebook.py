"""What a notebook shows of an `httpx.Response`: status, headers, time and body, readable and harmless.

Everything of the response is text here, never markup: it is escaped, and a large body is cut, with its size. The
cell magics are in `magics`.
"""

import html
import json
from collections.abc import Callable
from typing import Any, Final

import httpx

from playground.terminal import harmless

__all__ = ["register", "response_html", "response_text"]

SHOWN_CHARACTERS: Final = 4_000
"""Of a body, as much as one reads: a screen or two."""

_STYLE: Final = "font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px)"


def register(shell: Any) -> None:
    """Let an IPython shell show responses in this way."""
    shell.display_formatter.formatters["text/html"].for_type(httpx.Response, response_html)
    shell.display_formatter.formatters["text/plain"].for_type(httpx.Response, _print)


def response_text(response: httpx.Response) -> str:
    """A response as plain text."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.multi_items())
    body = _body(response).replace("\r\n", "\n")  # as HTTP and many files end their lines
    return harmless(f"{_title(response)}\n{headers}\n\n{body}".expandtabs(4))


def response_html(response: httpx.Response) -> str:
    """A response as HTML, for a notebook's cell."""
    rows = "".join(
        f'<tr><td style="text-align:left;opacity:.7">{_escaped(name)}</td>'
        f'<td style="text-align:left">{_escaped(value)}</td></tr>'
        for name, value in response.headers.multi_items()
    )
    return (
        f'<div style="{_STYLE}"><strong>{_escaped(_title(response))}</strong>'
        f"<details><summary>{len(response.headers.multi_items())} headers</summary>"
        f'<table style="margin-left:0">{rows}</table></details>'
        f'<pre style="white-space:pre-wrap">{_escaped(_body(response))}</pre></div>'
    )


def _print(response: httpx.Response, printer: Any, cycle: bool) -> None:
    printer.text(response_text(response))


def _title(response: httpx.Response) -> str:
    title = f"{response.status_code} {response.reason_phrase}".rstrip()
    try:
        return f"{title} · {response.elapsed.total_seconds() * 1000:.3g} ms"
    except RuntimeError:  # httpx's word for a response that is not closed: its time is not known yet
        return title


def _body(response: httpx.Response) -> str:
    try:
        content = response.content
    except httpx.ResponseNotRead:
        return "(the body has not been read: it streams)"
    if not content:
        return "(no body)"
    kind = response.headers.get("content-type", "")
    text = _pretty(response) if _is_text(kind, content) else f"({len(content):,} bytes of {kind or 'unnamed content'})"
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}…\n({len(content):,} bytes in all)"


def _pretty(response: httpx.Response) -> str:
    text = response.text
    if "json" in response.headers.get("content-type", ""):
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text  # it says that it is JSON, and is not: shown as it is
    return text


def _is_text(kind: str, content: bytes) -> bool:
    if kind.startswith("text/") or any(word in kind for word in ("json", "xml", "javascript", "urlencoded")):
        return True
    return not kind and _decodes(content)


def _decodes(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


_escaped: Callable[[str], str] = html.escape
