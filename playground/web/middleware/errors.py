"""The outermost layer: a client gets an answer even if the app failed.

It decides what is said to the client of an error that nothing handled: that there was one; in debug mode,
its traceback. Then it raises the error again, so that servers log it and tests see it.
"""

import html
import inspect
import traceback
from collections.abc import Awaitable, Callable
from string import Template
from types import TracebackType
from typing import Any, Final

from playground.asgi import ASGIApp, Receive, Scope, Send
from playground.web._exception_handler import ResponseWatch, call_handler
from playground.web.concurrency import run_in_threadpool
from playground.web.requests import Request
from playground.web.responses import HTMLResponse, PlainTextResponse, Response

__all__ = ["ERROR_SEND_KEY", "ServerErrorMiddleware"]

# In the scope of a request that failed: a function from one `send` to another, left there by a layer further
# in that would have added headers to the response.
ERROR_SEND_KEY: Final = "playground.error_send"

# Inline, for an error page must not need another request to the app that failed.
_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>$title</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
  h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
  details { border: 1px solid #8888; border-radius: 4px; margin: .5rem 0; padding: .3rem .6rem; }
  pre { margin: .3rem 0; overflow-x: auto; }
  .here { background: #a40e2633; font-weight: bold; }
</style>
</head>
<body>
<h1>$title</h1>
<p>500 Server Error. The frames, the innermost last:</p>
$frames
</body>
</html>
""")
_FRAME: Final = Template("""<details$open>
<summary>File <code>$file</code>, line <b>$line</b>, in <b>$function</b></summary>
<pre>$source</pre>
</details>
""")


class ServerErrorMiddleware:
    """Answer 500 to what nothing handled, and raise it again.

    Args:
        app: the app inside.
        handler: makes the answer from the request and the exception; not asked in debug mode.
        debug: whether to answer with the traceback: as a page if the client takes HTML, else as text.
    """

    def __init__(
        self,
        app: ASGIApp,
        handler: Callable[[Any, Exception], Response | Awaitable[Response]] | None = None,
        debug: bool = False,
    ) -> None:
        self.app = app
        self.handler = handler
        self.debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # `watched(send)`, written out: a call that every request would pay for
        watch: Any = send if type(send) is ResponseWatch else ResponseWatch(send)
        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            response = await self._response(Request(scope), error)
            if not watch.started:
                add_headers = scope.get(ERROR_SEND_KEY)
                await response(scope, receive, add_headers(watch) if add_headers else watch)
            raise

    async def _response(self, request: Request[Any], error: Exception) -> Response:
        if self.debug:
            # Sources are read for it, and much text is made: no work for the loop.
            return await run_in_threadpool(self.debug_response, request, error)
        if self.handler is None:
            return self.error_response(request, error)
        response: Response = await call_handler(self.handler, request, error)
        return response

    def error_response(self, request: Request[Any], exc: Exception) -> Response:
        """What a client is told of an error: nothing but that there was one."""
        return PlainTextResponse("Internal Server Error", status_code=500)

    def debug_response(self, request: Request[Any], exc: Exception) -> Response:
        """The traceback, as the client likes it."""
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(self.generate_html(exc), status_code=500)
        return PlainTextResponse(self.generate_plain_text(exc), status_code=500)

    def generate_plain_text(self, exc: Exception) -> str:
        return "".join(traceback.format_exception(exc))

    def generate_html(self, exc: Exception, limit: int = 7) -> str:
        """The traceback as a page.

        Args:
            limit: how many lines of source to show of each frame.
        """
        frames = inspect.getinnerframes(_traceback(exc), limit) if exc.__traceback__ else []
        title = html.escape(f"{type(exc).__name__}: {exc}")
        shown = [self.generate_frame_html(frame, frame is not frames[-1]) for frame in frames]
        return _PAGE.substitute(title=title, frames="".join(shown))

    def generate_frame_html(self, frame: inspect.FrameInfo, is_collapsed: bool) -> str:
        """One frame: where it is, and the lines around it."""
        first = frame.lineno - (frame.index or 0)
        lines = [
            self.format_line(index, line, frame.lineno, frame.index or 0)
            for index, line in enumerate(frame.code_context or ())
        ]
        return _FRAME.substitute(
            open="" if is_collapsed else " open",
            file=html.escape(frame.filename),
            line=frame.lineno,
            function=html.escape(frame.function),
            source="".join(lines) or f"(the source of line {first} is not to be had)",
        )

    def format_line(self, index: int, line: str, frame_lineno: int, frame_index: int) -> str:
        """One line of source, with its number; the one at fault is marked."""
        number = frame_lineno - frame_index + index
        text = f"{number:5} {html.escape(line.rstrip())}\n"
        return f'<span class="here">{text}</span>' if index == frame_index else text


def _traceback(exc: Exception) -> TracebackType:
    if exc.__traceback__ is None:
        raise ValueError("Expected an exception that was raised, got one without a traceback.")
    return exc.__traceback__
