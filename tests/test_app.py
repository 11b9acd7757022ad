"""`App`: what its handlers take, what they may return, and what a learner is told who got it wrong."""

import json
import threading
import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import App
from playground.asgi import ASGIApp, Message, Receive, Scope, Send
from playground.errors import HandlerError, RouteError
from playground.web.exceptions import HTTPException
from playground.web.requests import Request
from playground.web.responses import PlainTextResponse, Response
from playground.web.websockets import WebSocket

from .web.exchange import Backend, Exchange, call, call_scope, exactly, http_scope

BACKENDS: list[Backend] = ["asyncio", "trio"]


def ask(handler: Callable[..., Any], query: str = "", path: str = "/x", template: str = "/x") -> Exchange:
    """The answer of an app that has this handler alone."""
    app = App()
    app.get(template)(handler)
    return call(app, path, query_string=query.encode())


def problem_of(answer: Exchange) -> tuple[int, list[Any]]:
    return answer.status, json.loads(answer.body)["detail"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_hour_of_the_design(backend: Backend) -> None:
    app = App()
    threads: list[int] = []

    @app.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        return {"hello": name}

    @app.get("/report")
    def report() -> str:
        threads.append(threading.get_ident())
        return "done"

    assert call(app, "/hello/Ada", backend=backend).text == '{"hello":"Ada"}'
    assert call(app, "/report", backend=backend).text == "done"
    assert threads != [threading.get_ident()]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_a_decorator_for_each_method_returns_the_function_as_it_was(method: str) -> None:
    app = App()

    def handler() -> str:
        return method

    assert getattr(app, method)("/x", name="named")(handler) is handler
    assert call(app, "/x", method.upper()).text == method
    assert call(app, "/x", "OPTIONS").status == 405
    assert app.url_path_for("named") == "/x"


def test_the_scope_names_the_handler_and_its_path() -> None:
    def handler(key: int) -> str:
        return str(key)

    scope = ask(handler, path="/items/7", template="/items/{key}").scope
    assert scope["endpoint"] is handler
    assert scope["route"].path == "/items/{key}"


def many(  # type: ignore[no-untyped-def]  # a learner's first handler has no annotations
    text: str,
    whole: int,
    number: float,
    flag: bool,
    key: uuid.UUID,
    maybe: Optional[int] = None,  # noqa: UP045  the older spelling must work too
    union: int | None = None,
    noted: Annotated[int, "a note"] = 5,
    bare="bare",
) -> list[Any]:
    return [text, whole, number, flag, str(key), maybe, union, noted, bare]


KEY = "12345678-1234-5678-1234-567812345678"


def test_parameters_are_converted_by_their_annotations() -> None:
    query = f"text=a+b&whole=-7&number=1e3&flag=Yes&key={KEY}"
    assert json.loads(ask(many, query).body) == ["a b", -7, 1000.0, True, KEY, None, None, 5, "bare"]
    more = f"{query}&maybe=1&union=2&noted=3&bare=4"
    assert json.loads(ask(many, more).body)[5:] == [1, 2, 3, "4"]


def test_parameters_come_from_the_path_by_name_whatever_its_convertors() -> None:
    def handler(a: int, b: int, c: float, d: uuid.UUID, e) -> list[Any]:  # type: ignore[no-untyped-def]
        return [a, b, c, str(d), str(e)]

    template = "/{a}/{b:int}/{c:int}/{d:uuid}/{e:path}"
    assert json.loads(ask(handler, path=f"/1/2/3/{KEY}/x/y", template=template).body) == [1, 2, 3.0, KEY, "x/y"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("TRUE", True), ("on", True), ("y", True), ("0", False), ("False", False), ("off", False)],
)
def test_a_flag_is_said_in_many_words(text: str, value: bool) -> None:
    def handler(flag: bool) -> list[bool]:
        return [flag]

    assert json.loads(ask(handler, f"flag={text}").body) == [value]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("whole", "x", "a whole number"),
        ("whole", "1.5", "a whole number"),
        ("whole", "1_000", "a whole number"),
        ("whole", "%201", "a whole number"),
        ("whole", "9" * 5000, "a whole number"),
        ("number", "1,5", "a number"),
        ("number", "nan", "a number"),
        ("number", "1_0.0", "a number"),
        ("flag", "maybe", "true or false"),
        ("key", "123", "a UUID"),
        ("union", "", "a whole number"),
    ],
)
def test_a_parameter_that_does_not_convert_is_named(name: str, text: str, wanted: str) -> None:
    good = {"text": "a", "whole": "1", "number": "1", "flag": "1", "key": KEY}
    query = "&".join(f"{key}={value}" for key, value in {**good, name: text}.items())
    shown = text.replace("%20", " ")
    message = f"The query parameter {name!r} must be {wanted}, got {shown!r}."
    answer = problem_of(ask(many, query))
    assert answer == (422, [{"loc": ["query", name], "msg": message, "input": shown}])


def test_every_parameter_that_is_missing_or_wrong_is_named() -> None:
    def handler(key: int, whole: int, text: str) -> str:
        return "never"

    status, problems = problem_of(ask(handler, "whole=x", path="/seven", template="/{key}"))
    assert status == 422
    assert [problem["msg"] for problem in problems] == [
        "The path parameter 'key' must be a whole number, got 'seven'.",
        "The query parameter 'whole' must be a whole number, got 'x'.",
        "The query parameter 'text' is missing: it must be a text.",
    ]


def test_a_422_may_be_answered_in_ones_own_way() -> None:
    app = App()

    @app.get("/x")
    def handler(whole: int) -> str:
        return "never"

    @app.exception_handler(422)
    def explain(request: Request[Any], error: HTTPException) -> str:
        return error.detail

    answer = call(app, "/x")
    assert (answer.status, answer.text) == (422, "The query parameter 'whole' is missing: it must be a whole number.")


@given(st.integers(-(10**40), 10**40), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.uuids())
def test_what_python_writes_is_read_back(whole: int, number: float, flag: bool, key: uuid.UUID) -> None:
    def handler(whole: int, number: float, flag: bool, key: uuid.UUID) -> dict[str, Any]:
        return {"same": [whole, number, flag, key] == expected}

    expected = [whole, number, flag, key]
    number_text = repr(number).replace("+", "%2B")
    answer = ask(handler, f"whole={whole}&number={number_text}&flag={flag}&key={key}")
    assert answer.text == '{"same":true}'


def test_a_handler_may_take_the_request_by_name_or_by_annotation() -> None:
    def by_name(request, whole: int) -> str:  # type: ignore[no-untyped-def]
        return f"{request.method} {whole}"

    def by_annotation(whole: int, asked: Request) -> str:
        return f"{asked.method} {whole}"

    def by_annotation_with_state(asked: Request[Any]) -> str:
        return asked.url.path

    def for_the_path(request: Request) -> str:
        return str(request.path_params)

    assert ask(by_name, "whole=1").text == "GET 1"
    assert ask(by_annotation, "whole=1").text == "GET 1"
    assert ask(by_annotation_with_state).text == "/x"
    assert ask(for_the_path, path="/items/7", template="/items/{key}").text == "{'key': '7'}"


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ({"a": 1}, 200, "application/json", b'{"a":1}'),
        ([1, None], 200, "application/json", b"[1,null]"),
        ("é", 200, "text/plain; charset=utf-8", "é".encode()),
        (b"\x00", 200, "application/octet-stream", b"\x00"),
        (None, 204, None, b""),
        (PlainTextResponse("made", 418), 418, "text/plain; charset=utf-8", b"made"),
    ],
)
def test_plain_values_become_responses(result: Any, status: int, content_type: str | None, body: bytes) -> None:
    answer = ask(lambda: result)
    assert answer.error is None
    assert (answer.status, answer.headers.get("content-type"), answer.body) == (status, content_type, body)


class _Order:
    pass


@pytest.mark.parametrize(
    ("result", "what"), [(3, "an int"), ({1}, "a set"), (("a", 200), "a tuple"), (_Order(), "a _Order")]
)
def test_a_result_that_is_no_answer_is_refused(result: Any, what: str) -> None:
    def handler() -> Any:
        return result

    answer = ask(handler)
    assert answer.status == 500
    assert isinstance(answer.error, HandlerError)
    assert str(answer.error) == (
        f"The handler 'handler' of '/x' returned {what}, of which no response can be made. "
        "Return a Response, dict, list, str, bytes or None."
    )


@pytest.mark.parametrize("is_async", [True, False])
def test_a_forgotten_await_is_named(is_async: bool) -> None:
    async def fetch() -> str:
        return "late"

    async def asynchronous() -> Any:
        return fetch()

    def plain() -> Any:
        return fetch()

    handler = asynchronous if is_async else plain
    error = ask(handler).error
    assert isinstance(error, HandlerError)
    assert str(error) == (
        f"The handler {handler.__name__!r} of '/x' returned a coroutine instead of its result: "
        f"{fetch.__qualname__!r} was called without `await`. "
        f"Make the handler `async def` and write `await {fetch.__qualname__}(...)`."
    )


def _any_parameters(*args: Any) -> str:
    return "never"


def _body(order: dict[str, Any]) -> str:
    return "never"


def _order(order: _Order) -> str:
    return "never"


def _nothing() -> str:
    return "never"


def _unknown(order: "Nowhere") -> str:  # type: ignore[name-defined]  # noqa: F821  an error on purpose
    return "never"


@pytest.mark.parametrize(
    ("handler", "template", "message"),
    [
        (
            _nothing,
            "/{key}/{more}",
            (
                "The path '/{key}/{more}' has the parameter 'key', which the handler '_nothing' does not take. "
                "Write `def _nothing(key, more)`, or take the `request` and read `request.path_params`."
            ),
        ),
        (
            _any_parameters,
            "/x",
            (
                "The handler '_any_parameters' of '/x' takes '*args', which no request fills. "
                "Give each parameter a name of its own, without * and /."
            ),
        ),
        (
            _body,
            "/x",
            (
                "The handler '_body' of '/x' takes 'order' as dict[str, typing.Any], which no text of a path or a "
                "query becomes. Annotate it as str, int, float, bool, UUID or Request, or take the `request` and "
                "read it from there."
            ),
        ),
        (
            _order,
            "/x",
            (
                "The handler '_order' of '/x' takes 'order' as _Order, which no text of a path or a query becomes. "
                "Annotate it as str, int, float, bool, UUID or Request, or take the `request` and read it from there."
            ),
        ),
        (
            _unknown,
            "/x",
            (
                "The handler '_unknown' of '/x' has an annotation that cannot be looked up: name 'Nowhere' is not "
                "defined. Import or define the name before the handler."
            ),
        ),
        (_Order(), "/x", "The handler of '/x' must be a function, got _Order."),
    ],
)
def test_a_handler_that_could_never_be_called_is_refused(handler: Any, template: str, message: str) -> None:
    with pytest.raises(HandlerError, match=exactly(message)):
        App().get(template)(handler)


def test_a_path_without_its_slash_is_refused() -> None:
    with pytest.raises(RouteError, match=exactly("Routed paths must start with '/': got 'x'. Write '/x'.")):
        App().get("x")(_nothing)


def test_a_decorator_without_its_path_is_refused() -> None:
    decorate: Any = App().get
    message = "@app.get must be given a path. Write @app.get('/...') above '_nothing'."
    with pytest.raises(HandlerError, match=exactly(message)):
        decorate(_nothing)


def test_a_handler_that_is_declared_again_takes_the_place_of_its_predecessor() -> None:
    app = App()

    def cell(text: str) -> None:
        @app.get("/x")
        def handler() -> str:
            return text

    @app.get("/other")
    def other() -> str:
        return "other"

    cell("first")
    assert call(app, "/x").text == "first"
    cell("second")
    assert call(app, "/x").text == "second"
    assert len(app.routes) == 2

    @app.post("/x")
    def handler() -> str:
        return "posted"

    assert [call(app, "/x").text, call(app, "/x", "POST").text] == ["second", "posted"]


def test_of_two_handlers_the_first_answers() -> None:
    app = App()

    @app.get("/{name}")
    def any_name(name: str) -> str:
        return "any"

    @app.get("/ada")
    def ada() -> str:
        return "Ada"

    assert call(app, "/ada").text == "any"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_async", [True, False])
def test_an_exception_handlers_plain_value_has_the_status_of_the_exception(is_async: bool, backend: Backend) -> None:
    app = App()

    @app.get("/missing")
    def missing() -> None:
        raise KeyError("Ada")

    def explain(request: Any, error: Exception) -> Any:
        return {"path": request.url.path, "missing": str(error)}

    async def explain_async(request: Any, error: Exception) -> Any:
        return explain(request, error)

    handler = explain_async if is_async else explain
    call(app, "/missing")  # a cell may come after the first request
    assert app.exception_handler(LookupError)(handler) is handler
    app.exception_handler(404)(lambda request, error: "nobody here")
    app.exception_handler(ValueError)(lambda request, error: Response("as it is", 418))

    answer = call(app, "/missing", backend=backend)
    assert (answer.status, json.loads(answer.body)) == (500, {"path": "/missing", "missing": "'Ada'"})
    assert answer.error is None
    assert (call(app, "/nowhere").status, call(app, "/nowhere").text) == (404, "nobody here")


class Layer:
    """Middleware that adds a word to the path's query."""

    def __init__(self, app: ASGIApp, word: str = "layer") -> None:
        self.app, self.word = app, word

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["words"] = [*scope.get("words", []), self.word]
        await self.app(scope, receive, send)


def test_middleware_is_added_outside_and_replaced_if_it_is_added_again() -> None:
    app = App()

    @app.get("/")
    def words(request: Request) -> list[str]:
        return list(request.scope["words"])

    assert app.middleware(Layer, "first") is Layer

    @app.middleware
    class Outer(Layer):
        def __init__(self, app: ASGIApp) -> None:
            super().__init__(app, "outer")

    assert call(app).text == '["outer","first"]'
    app.middleware(Layer, word="second")
    assert call(app).text == '["second","outer"]'


def test_a_layer_that_is_none_is_refused() -> None:
    message = (
        "A middleware must be a class or a function, got 3. Write `async def layer(request, call_next)`, which returns "
        "`await call_next(request)`, or a class with `__init__(self, app)` and "
        "`async def __call__(self, scope, receive, send)`."
    )
    with pytest.raises(HandlerError, match=exactly(message)):
        App().middleware(3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_goes_around_the_app(backend: Backend) -> None:
    app = App()

    @app.get("/")
    def home() -> str:
        return "home"

    @app.middleware
    async def shout(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["x-shout"] = request.url.path
        return response

    assert call(app, backend=backend).headers["x-shout"] == "/"
    assert call(app, backend=backend).text == "home"


def _quiet() -> None: ...


def test_a_function_that_is_declared_again_takes_the_place_of_the_first() -> None:
    app = App()
    app.get("/")(_quiet)
    for word in ("first", "second"):

        @app.middleware("http")
        async def mark(
            request: Request, call_next: Callable[[Request], Awaitable[Response]], word: str = word
        ) -> Response:
            return PlainTextResponse(f"{word} {(await call_next(request)).status_code}")

    assert len(app.user_middleware) == 1
    assert call(app).text == "second 204"


def test_a_function_around_the_app_must_take_request_and_call_next() -> None:
    async def layer(request: Request) -> None: ...

    message = (
        "The middleware 'layer' must take two parameters, the request and `call_next`, got request. "
        "Write `async def layer(request, call_next)`."
    )
    with pytest.raises(HandlerError, match=exactly(message)):
        App().middleware(layer)


def talk(app: ASGIApp, path: str, *incoming: str, query: str = "", backend: Backend = "asyncio") -> Exchange:
    """What an app sends to a websocket whose client sends these texts and leaves."""
    scope = {**http_scope(path, query_string=query.encode()), "type": "websocket", "scheme": "ws"}
    messages: list[Message] = [
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": text} for text in incoming),
        {"type": "websocket.disconnect", "code": 1000},
    ]
    return call_scope(app, scope, messages=messages, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_websocket_handler_takes_its_parameters_by_name(backend: Backend) -> None:
    app = App()

    @app.websocket("/rooms/{room}")
    async def chat(websocket: WebSocket, room: str, times: int = 1) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(f"{room}: {text * times}")

    sent = talk(app, "/rooms/blue", "a", "b", query="times=2", backend=backend).sent
    assert [message.get("text") for message in sent] == [None, "blue: aa", "blue: bb"]
    assert app.url_path_for("chat", room="blue") == "/rooms/blue"


def test_a_parameter_that_does_not_convert_refuses_the_websocket() -> None:
    app = App()

    @app.websocket("/")
    async def chat(websocket, times: int) -> None:  # type: ignore[no-untyped-def]
        raise AssertionError("never called")

    exchange = talk(app, "/", query="times=x")
    assert exchange.error is None
    assert (exchange.sent[0]["type"], exchange.sent[0]["status"]) == ("websocket.http.response.start", 422)
    assert json.loads(exchange.body)["detail"][0]["loc"] == ["query", "times"]


def test_a_websocket_handler_that_is_declared_again_takes_the_place_of_the_first() -> None:
    app = App()
    for word in ("first", "second"):

        @app.websocket("/")
        async def chat(websocket: WebSocket, word: str = word) -> None:
            await websocket.close(reason=word)

    assert len(app.routes) == 1
    assert talk(app, "/").sent == [{"type": "websocket.close", "code": 1000, "reason": "second"}]


def test_an_exception_handler_may_close_a_websocket() -> None:
    app = App()

    @app.websocket("/")
    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        raise LookupError

    @app.exception_handler(LookupError)
    async def close(websocket: WebSocket, error: Exception) -> None:
        await websocket.close(1008, "nothing there")

    exchange = talk(app, "/")
    assert (exchange.error, exchange.sent[-1]) == (
        None,
        {"type": "websocket.close", "code": 1008, "reason": "nothing there"},
    )


def _plain(websocket: WebSocket) -> None: ...


async def _roomless(name: str) -> None: ...


@pytest.mark.parametrize(
    ("handler", "path", "message"),
    [
        (
            _plain,
            "/x",
            (
                "The websocket handler '_plain' of '/x' must be an async function, got a plain one. "
                "Write `async def _plain(...)`: it awaits what it sends and receives."
            ),
        ),
        (
            _roomless,
            "/{room}",
            (
                "The path '/{room}' has the parameter 'room', which the handler '_roomless' does not take. "
                "Write `def _roomless(room)`, or take the `websocket` and read `websocket.path_params`."
            ),
        ),
        (Layer(App()), "/x", "The handler of '/x' must be a function, got Layer."),
    ],
)
def test_a_websocket_handler_that_could_never_be_called_is_refused(handler: Any, path: str, message: str) -> None:
    with pytest.raises(HandlerError, match=exactly(message)):
        App().websocket(path)(handler)


def test_a_websocket_decorator_must_be_given_a_path() -> None:
    message = "@app.websocket must be given a path. Write @app.websocket('/...') above '_roomless'."
    with pytest.raises(HandlerError, match=exactly(message)):
        App().websocket(_roomless)  # type: ignore[arg-type]
