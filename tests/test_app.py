"""`App`: what its handlers may be and may return, and what a learner is told who got it wrong."""

import threading
from typing import Any

import pytest

from playground import App
from playground.errors import HandlerError, RouteError
from playground.web.responses import PlainTextResponse
from tests.asking import ask
from tests.web.exchange import Backend, call, exactly

BACKENDS: list[Backend] = ["asyncio", "trio"]


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
