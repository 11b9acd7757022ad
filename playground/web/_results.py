"""What a handler returned, made into a response.

It decides by the type of the result alone. What it cannot answer with is refused in words, for a result
of the wrong type is the first mistake that everybody makes.
"""

import inspect
from typing import Any, Final

from playground.errors import HandlerError

from .responses import JSONResponse, PlainTextResponse, Response

__all__ = ["as_response"]

_TAKEN: Final = "a Response, dict, list, str, bytes or None"


def as_response(result: Any, where: str) -> Response:
    """The response that a result stands for.

    A `Response` is itself; `dict` and `list` become JSON; `str` becomes plain text and `bytes` a download
    without a type; `None` is an answer without content (204).

    Args:
        result: what the handler returned.
        where: who returned it, for messages: `The handler 'hello' of '/hello'`.

    Raises:
        HandlerError: the result is of another type.
    """
    if isinstance(result, Response):
        return result
    if isinstance(result, dict | list):
        return JSONResponse(result)
    if isinstance(result, str):
        return PlainTextResponse(result)
    if result is None:
        return Response(status_code=204)
    if isinstance(result, bytes):
        return Response(result, media_type="application/octet-stream")
    raise _refusal(result, where)


def _refusal(result: Any, where: str) -> HandlerError:
    if inspect.iscoroutine(result):
        name = result.__qualname__
        result.close()  # else Python warns of it as well, somewhere else
        return HandlerError(
            f"{where} returned a coroutine instead of its result: {name!r} was called without `await`. "
            f"Make the handler `async def` and write `await {name}(...)`."
        )
    return HandlerError(
        f"{where} returned {_with_article(type(result).__name__)}, of which no response can be made. Return {_TAKEN}."
    )


def _with_article(name: str) -> str:
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"
