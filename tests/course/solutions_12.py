"""Reference solutions of lesson 12, to be pasted into its notebook."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from playground import App
from tests.course.answers import Given

wsgi_s, asgi_s = 0.3, 0.1


def translated() -> App:
    app = App()

    @app.get("/")
    async def waits() -> str:
        await asyncio.sleep(0.1)
        return "waited"

    return app


def by_hand(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"hello {environ['PATH_INFO']}".encode()]


SOLUTIONS: dict[str, Given] = {
    "12.1": lambda: (wsgi_s, asgi_s),
    "12.2": lambda: (translated(),),
    "12.3": lambda: (by_hand,),
}
