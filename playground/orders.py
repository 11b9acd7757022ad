"""Orders: what an experiment is asked to send, made into requests that are ready to be sent.

Equal requests are built and prepared once, however many are sent. How and when they are sent is the lab's affair.
"""

import inspect
from collections.abc import Callable
from typing import Final

import httpx

from playground.errors import LabError
from playground.host import Host, Prepared

__all__ = ["Orders", "RequestLike"]

RequestLike = str | httpx.Request | Callable[[int], "str | httpx.Request"]
"""A path, a `"POST /path"` string, an `httpx.Request`, or a function of the index that returns one of these."""

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY", "TRACE"})
_KEPT: Final = 1024
"""Different requests that are kept ready: more than these are as good as all different."""


class Orders:
    """The requests of one experiment, by number.

    Args:
        request: see `RequestLike`; a function is called with 0, 1, 2 …
        client: builds requests, with its base URL, headers and cookies.
        host: prepares them.

    Raises:
        LabError: a function that takes no index.
    """

    def __init__(self, request: RequestLike, client: httpx.AsyncClient, host: Host) -> None:
        if callable(request):
            _check_takes_index(request)
        self._request = request
        self._client = client
        self._host = host
        # a request is not changed by being sent, so equal ones are one
        self._ready: dict[str, Prepared] = {}
        self._last: Prepared | None = None

    def __call__(self, index: int) -> Prepared:
        """The request of that number, ready to be sent.

        Raises:
            LabError: the function has returned something else than a request.
        """
        made = self._request(index) if callable(self._request) else self._request
        if isinstance(made, httpx.Request):
            if self._last is None or self._last.request is not made:
                self._last = self._host.prepare(made)
            return self._last
        if not isinstance(made, str):
            raise LabError(
                f"expected a path, a 'POST /path' string or an httpx.Request, got {type(made).__name__}: "
                "give one of these, or a function of the index that returns one"
            )
        ready = self._ready.get(made)
        if ready is None:
            if len(self._ready) >= _KEPT:
                self._ready.clear()
            ready = self._ready[made] = self._host.prepare(self._build(made))
        return ready

    def _build(self, text: str) -> httpx.Request:
        method, _, url = text.partition(" ")
        if method not in _METHODS:
            method, url = "GET", text
        return self._client.build_request(method, url)


def _check_takes_index(request: Callable[..., object]) -> None:
    try:
        inspect.signature(request).bind(0)
    except TypeError:
        raise LabError(
            f"expected a function of the request's index, got one that takes {inspect.signature(request)}: "
            "write it as lambda index: ..."
        ) from None
