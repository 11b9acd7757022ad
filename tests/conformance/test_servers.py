"""The same app answers alike over the virtual transport and over real sockets, whoever serves it.

Each request is asked of uvicorn and of hypercorn, on asyncio and on trio, over HTTP/1.1 and HTTP/2, and the answer held
against the one that our own transport gives; what takes turns between a client and an app is played through
in every place. All of it runs over our toolkit and over Starlette's.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import pytest

from tests.conformance.servers import SERVERS, serving
from tests.conformance.servers_app import FILE, LAYERED, make_site
from tests.conformance.servers_asked import ASKED, TALKS
from tests.conformance.servers_kit import Notes
from tests.conformance.servers_places import HEAR, InProcess, Leave, OnSocket, Place

pytestmark = pytest.mark.slow

TOOLKITS = ("playground.web", "starlette")
HTTP2 = " HTTP/2"
AT_A_PORT = (*SERVERS, f"hypercorn-asyncio{HTTP2}")
IN_PROCESS = "in process"
PREFIXES = ("", LAYERED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "file.bin").write_bytes(FILE)
    return folder


@pytest.fixture(scope="module", params=TOOLKITS)
def toolkit(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@contextmanager
def at(where: str, toolkit: str, folder: Path) -> Iterator[Place]:
    """Have the site of a toolkit at a place."""
    notes = Notes()
    app = make_site(toolkit, folder, notes)
    if where == IN_PROCESS:
        yield InProcess(app, notes)
        return
    with serving(where.removesuffix(HTTP2), app) as port:
        yield OnSocket(port, notes, http2=where.endswith(HTTP2))


@pytest.fixture(scope="module", params=AT_A_PORT)
def server(request: pytest.FixtureRequest, toolkit: str, folder: Path) -> Iterator[Place]:
    with at(request.param, toolkit, folder) as place:
        yield place


@pytest.fixture(scope="module", params=[IN_PROCESS, *AT_A_PORT])
def place(request: pytest.FixtureRequest, toolkit: str, folder: Path) -> Iterator[Place]:
    with at(request.param, toolkit, folder) as place:
        yield place


@pytest.fixture(scope="module")
def in_process(toolkit: str, folder: Path) -> Iterator[Place]:
    with at(IN_PROCESS, toolkit, folder) as place:
        yield place


def with_client(place: Place, played: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with place.client() as client:
            return await played(client)

    return asyncio.run(main())


OF_THE_SERVER = ("date", "server", "connection", "transfer-encoding")


def answer(response: httpx.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """What the app has said, less what is drawn at random, signed with the time, or the server's to say."""
    pairs = [
        (name.lower(), re.sub(rb"(?<=session=)[^;]+|(?<=expires=)[^;]+", b"...", value))
        for name, value in response.headers.raw
        if name.lower().decode() not in OF_THE_SERVER
    ]
    content = response.content
    boundary = response.headers.get("content-type", "").partition("boundary=")[2].encode()
    if boundary:
        pairs = [(name, value.replace(boundary, b"...")) for name, value in pairs]
        content = content.replace(boundary, b"...")
    return response.status_code, pairs, content


async def ask_all(client: httpx.AsyncClient, prefix: str) -> dict[str, Any]:
    answers = {}
    for name, (method, path, more) in ASKED.items():
        client.cookies.clear()
        answers[name] = answer(await client.request(method, prefix + path, **more))
    return answers


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_server_answers_as_the_virtual_transport_does(server: Place, in_process: Place, prefix: str) -> None:
    answers = with_client(server, lambda client: ask_all(client, prefix))
    assert answers == with_client(in_process, lambda client: ask_all(client, prefix))


def test_the_answers_are_of_every_kind(in_process: Place) -> None:
    answers = with_client(in_process, lambda client: ask_all(client, LAYERED))
    assert {status for status, _, _ in answers.values()} == {200, 203, 204, 206, 307, 400, 404, 405, 416, 418, 500}


def _sorted(value: bytes) -> list[bytes]:
    return sorted(value.split(b", "))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_both_toolkits_answer_alike(folder: Path, prefix: str) -> None:
    def answers(toolkit: str) -> dict[str, Any]:
        with at(IN_PROCESS, toolkit, folder) as place:
            every: dict[str, Any] = with_client(place, lambda client: ask_all(client, prefix))
        for _, pairs, _ in every.values():  # a tag is made as one likes, and Starlette's methods come in any order
            pairs[:] = [(name, _sorted(value)) for name, value in pairs if name != b"etag"]
        return every

    ours, theirs = map(answers, TOOLKITS)
    if prefix:  # CORS headers are on our 500 too
        theirs["a fault"][1].append((b"vary", [b"Origin"]))
    assert ours == theirs


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", TALKS)
def test_a_websocket_hears_what_it_does_in_process(server: Place, in_process: Place, prefix: str, name: str) -> None:
    path, script, subprotocols = TALKS[name]
    heard = asyncio.run(server.talk(prefix + path, script, subprotocols))
    assert heard == asyncio.run(in_process.talk(prefix + path, script, subprotocols))


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("path", ["/ws/unwanted", "/ws/nowhere"])
def test_a_websocket_closed_before_it_is_accepted_is_forbidden(server: Place, prefix: str, path: str) -> None:
    (heard,) = asyncio.run(server.talk(prefix + path, []))
    assert heard[:2] == ("denied", 403)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("where", [IN_PROCESS, *SERVERS])
def test_the_code_with_which_a_client_leaves_reaches_the_app(
    where: str, toolkit: str, folder: Path, prefix: str
) -> None:
    name = uuid4().hex

    async def main(place: Place) -> Any:
        await place.talk(f"{prefix}/ws/leaving/{name}", ["a", "b", Leave(4002), HEAR])
        return await place.notes.heard(name)

    code = 1006 if "hypercorn" in where else 4002  # hypercorn gives every app 1006 when the client closes
    with at(where, toolkit, folder) as place:
        assert asyncio.run(main(place)) == (["a", "b"], code)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_piece_arrives_while_the_app_still_sends(place: Place, prefix: str, encoding: str) -> None:
    name = uuid4().hex

    async def played(client: httpx.AsyncClient) -> list[str]:
        heard = []
        async with client.stream("GET", f"{prefix}/stream/{name}", headers={"accept-encoding": encoding}) as response:
            async for piece in response.aiter_text():
                heard.append(piece)
                await client.get(f"{prefix}/gate/{name}")
        return [piece for piece in heard if piece]

    assert with_client(place, played) == ["first\n", "second\n"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_upload_is_read_while_it_is_sent(place: Place, prefix: str) -> None:
    name = uuid4().hex

    async def played(client: httpx.AsyncClient) -> bytes:
        async def pieces() -> AsyncIterator[bytes]:
            for size in (1, 2, 3):
                yield b"%d" % size
                while await place.notes.heard(name) < size:
                    pass

        response = await client.post(f"{prefix}/upload/{name}", content=pieces())
        return response.content

    assert with_client(place, played) == b"123"


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_file_of_a_mebibyte_arrives_whole(place: Place, prefix: str) -> None:
    content = FILE * 14

    async def played(client: httpx.AsyncClient) -> Any:
        files = {"file": ("caf\u00e9.bin", content, "application/x-own")}
        response = await client.post(f"{prefix}/form", data={"word": ["a", "b"]}, files=files)
        return response.json()

    assert len(content) > 1 << 20
    assert with_client(place, played) == {
        "name": "caf\u00e9.bin",
        "size": len(content),
        "words": ["a", "b"],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_background_task_starts_after_the_answer(place: Place, prefix: str) -> None:
    name = uuid4().hex

    async def played(client: httpx.AsyncClient) -> list[str]:
        heard = [(await client.get(f"{prefix}/background/{name}")).text]
        async with anyio.create_task_group() as tasks:  # this connection may be served again only after the task
            tasks.start_soon(client.get, f"{prefix}/gate/{name}")
            heard.append(await place.notes.heard(name))
        return heard

    assert with_client(place, played) == ["answered", "worked"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_stream_ends_when_its_client_leaves(server: Place, prefix: str) -> None:
    name = uuid4().hex

    async def played(client: httpx.AsyncClient) -> list[str]:
        heard = []
        async with client.stream("GET", f"{prefix}/endless/{name}") as response:
            heard.append(await anext(response.aiter_text()))
        return heard

    assert with_client(server, played) == ["first\n"]
    assert asyncio.run(server.notes.heard(name)) == "ended"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("where", SERVERS)  # over HTTP/2, hypercorn never ends a `send` to a client that has left
def test_who_reads_an_upload_learns_that_the_client_has_left(
    where: str, toolkit: str, folder: Path, prefix: str
) -> None:
    name = uuid4().hex

    async def pieces() -> AsyncIterator[bytes]:
        yield b"1"
        await anyio.sleep_forever()

    async def main(place: Place) -> list[Any]:
        async with place.client() as client, anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.post(f"{prefix}/upload/{name}", content=pieces()))
            size = await place.notes.heard(name)
            tasks.cancel_scope.cancel()
        return [size, await place.notes.heard(name)]

    with at(where, toolkit, folder) as place:
        assert asyncio.run(main(place)) == [1, "gone"]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("where", AT_A_PORT)
def test_our_handlers_learn_that_their_client_has_left(where: str, folder: Path, prefix: str) -> None:
    """Starlette's do on asyncio, but neither on trio nor behind a `BaseHTTPMiddleware`."""
    name = uuid4().hex

    async def main(place: Place) -> bool:
        async with place.client() as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, f"{prefix}/patient/{name}")
            left_at_first: bool = await place.notes.heard(name)
            tasks.cancel_scope.cancel()
        return left_at_first

    with at(where, TOOLKITS[0], folder) as place:
        assert asyncio.run(main(place)) is False
        assert asyncio.run(place.notes.heard(name)) == "gone"


def test_a_session_lasts_from_request_to_request(place: Place) -> None:
    async def played(client: httpx.AsyncClient) -> list[Any]:
        return [(await client.get(f"{LAYERED}/session")).json() for _ in range(3)]

    assert with_client(place, played) == [{"visits": 1}, {"visits": 2}, {"visits": 3}]


@pytest.mark.parametrize("where", SERVERS)
def test_the_lifespan_is_as_long_as_the_server(where: str, toolkit: str, folder: Path) -> None:
    async def greeting(client: httpx.AsyncClient) -> Any:
        return (await client.get("/state")).json()["greeting"]

    with at(where, toolkit, folder) as place:
        assert with_client(place, greeting) == "hello from the start"
        notes = place.notes
        assert asyncio.run(notes.heard("lifespan")) == "up"
    assert asyncio.run(notes.heard("lifespan")) == "down"
