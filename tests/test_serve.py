"""A lab's server: where it says that it is, and what an interrupt leaves of it."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import App, Lab
from playground.clock.thread import LoopThread
from playground.forwarded import behind_proxy, forwarded_prefix
from playground.server import Server
from playground.web.requests import Request
from playground.web.responses import RedirectResponse

PREFIX = "/user/ann/proxy/8000"

app = App()


@app.get("/where/{name}")
async def where(request: Request) -> dict[str, Any]:
    said = {key: request.scope[key] for key in ("root_path", "path")}
    return {**said, "url": str(request.url), "link": str(request.url_for("where", name="x"))}


@app.get("/moved")
async def moved(request: Request) -> RedirectResponse:
    return RedirectResponse(str(request.url_for("where", name="here")))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Lab(app) as lab, lab.serve() as server:
        yield server.url


def test_links_and_redirects_keep_what_the_proxy_took_off(url: str) -> None:
    behind = {"x-forwarded-prefix": PREFIX}
    assert httpx.get(f"{url}/where/Ada?a=1", headers=behind).json() == {
        "root_path": PREFIX,
        "path": f"{PREFIX}/where/Ada",
        "url": f"{url}{PREFIX}/where/Ada?a=1",
        "link": f"{url}{PREFIX}/where/x",
    }
    assert httpx.get(f"{url}/moved", headers=behind).headers["location"] == f"{url}{PREFIX}/where/here"


def test_without_a_proxy_nothing_is_put_before_the_path(url: str) -> None:
    found = httpx.get(f"{url}/where/Ada").json()
    assert found == {"root_path": "", "path": "/where/Ada", "url": f"{url}/where/Ada", "link": f"{url}/where/x"}
    assert httpx.get(f"{url}/moved").headers["location"] == f"{url}/where/here"


@pytest.mark.parametrize("said", ["//evil.example", "evil", "/a?b", "/%2f/evil", "/a b", '/"', "/<b>", "/a\tb"])
def test_a_prefix_that_is_no_path_is_not_believed(url: str, said: str) -> None:
    assert httpx.get(f"{url}/where/Ada", headers={"x-forwarded-prefix": said}).json()["root_path"] == ""


def scope(*said: bytes) -> dict[str, Any]:
    headers = [(b"host", b"lab"), *((b"x-forwarded-prefix", value) for value in said)]
    return {"type": "http", "path": "/a", "raw_path": b"/a", "root_path": "", "headers": headers}


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        (b"/user/ann/", "/user/ann"),
        (b"/user/ann%40x.org", "/user/ann%40x.org"),
        (b"", ""),
        (b"/", ""),
        (b"/a%0d%0aSet-Cookie:b", ""),
        (b"/a%0D", ""),
        (b"/%5Cevil.example", ""),
        (b"/%2Fevil.example", ""),
        (b"/a//b", ""),
        (b"/\xc3\xa9", ""),
        (b"http://evil.example/", ""),
    ],
)
def test_which_prefixes_are_believed(said: bytes, prefix: str) -> None:
    assert forwarded_prefix(scope(said)) == prefix


def test_of_two_prefixes_none_is_believed() -> None:
    assert forwarded_prefix(scope(b"/a", b"/b")) == ""


@given(st.one_of(st.binary(), st.from_regex(rb"\A(/|%[0-9a-fA-F]{2}|[a-z.:\\\r\n])*\Z")))
def test_what_is_believed_is_a_path_on_this_host(said: bytes) -> None:
    there = scope(said)
    heard: list[Any] = []

    async def hear(scope: Any, receive: Any, send: Any) -> None:
        heard.append(scope)

    asyncio.run(behind_proxy(hear)(there, None, None))  # type: ignore[arg-type]
    (found,) = heard
    root = found["root_path"]
    assert found["path"] == root + "/a"
    assert found["raw_path"].endswith(b"/a")
    assert root == "" or (root[0] == "/" and root[-1] != "/" and root[1] not in "/\\")
    assert root.isprintable()


def test_the_lifespan_has_no_prefix() -> None:
    heard: list[Any] = []

    async def hear(scope: Any, receive: Any, send: Any) -> None:
        heard.append(dict(scope))

    asyncio.run(behind_proxy(hear)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert heard == [{"type": "lifespan"}]


def test_after_an_interrupted_close_the_next_server_on_the_same_socket_number_is_heard() -> None:
    """The loop must have forgotten the closed socket, whose number the next one gets."""
    began = threading.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        began.set()
        await asyncio.sleep(60)

    async def quick(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    def ask(url: str) -> None:
        with contextlib.suppress(httpx.TransportError):  # an answer 500 or none: the server is being interrupted
            httpx.get(url, timeout=30)

    thread = LoopThread("lab under test")
    try:
        first = Server(thread, slow, 0)
        number = first._socket.fileno()
        asking = threading.Thread(target=ask, args=[first.url])
        asking.start()
        assert began.wait(30)
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            first.close()
        second = Server(thread, quick, 0)
        asking.join(30)
        assert second._socket.fileno() == number
        assert httpx.get(second.url, timeout=30).status_code == 204
        second.close()
    finally:
        thread.close()
