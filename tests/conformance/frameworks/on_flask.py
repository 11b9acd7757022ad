"""The site in Flask's words."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, request

from tests.conformance.frameworks import pages

__all__ = ["LACKS", "make"]

LACKS = {
    "websockets": "WSGI has no websockets",
    "empty messages of bytes": "WSGI has no websockets",
    "denials": "WSGI has no websockets",
}

site = Blueprint("site", __name__)


def make() -> Flask:
    """Make the site."""
    app = Flask("site", static_folder=pages.FOLDER)
    app.register_blueprint(site)
    return app


@site.get("/hello")
def hello() -> Response:
    return Response(pages.HELLO, headers={"x-mine": "yes"}, content_type="text/plain; charset=utf-8")


@site.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def echo() -> Any:
    return pages.echoed(request.method, request.args.items(multi=True), request.headers.items(), request.get_data())


@site.get("/numbers/<int:number>")
@site.get("/words/<word>")
@site.get("/paths/<path:path>")
def parameters(**parameters: Any) -> Any:
    return parameters


@site.get("/url")
def url() -> Any:
    return {"url": request.url}


@site.post("/json")
def json() -> Any:
    return {"got": request.json}


@site.post("/form")
def form() -> Any:
    files = [(name, file.filename, file.content_type, file.read()) for name, file in request.files.items(multi=True)]
    return pages.sent(request.form.items(multi=True), files)


@site.post("/received")
def received() -> Any:
    tally = pages.Tally()
    while piece := request.stream.read(10_000):
        tally.add(piece)
    return tally.told()


@site.get("/empty")
def empty() -> Any:
    return ""


@site.get("/large")
def large() -> Response:
    return Response(pages.LARGE, content_type="application/octet-stream")


@site.get("/stream")
def stream() -> Response:
    return Response(iter(pages.CHUNKS), content_type="application/x-own")


@site.get("/events")
def events() -> Response:
    return Response(iter(pages.EVENTS), headers={"cache-control": "no-store"}, content_type="text/event-stream")


@site.get("/waiting/<name>")
def waiting(name: str) -> Response:
    def events() -> Iterator[str]:
        yield "data: first\n\n"
        yield pages.gate(name)

    return Response(events(), content_type="text/event-stream")


@site.get("/gate/<name>")
def gate(name: str) -> Any:
    pages.GATES[name].set()
    return ""


@site.get("/status/<int:code>")
def status(code: int) -> Any:
    return "", code


@site.get("/headers")
def headers() -> Response:
    return Response(b"\x00", headers={"x-empty": "", "x-spaced": "a  b"}, content_type="application/x-own")


@site.get("/latin")
def latin() -> Response:
    return Response(headers={"x-latin": pages.LATIN})


@site.get("/twice")
def twice() -> Response:
    return Response(headers=[("x-two", "a"), ("x-two", "b")])


@site.get("/refused")
def refused() -> Any:
    abort(403, "not for you")


@site.get("/error")
def error() -> Any:
    pages.fail()


@site.route("/redirect/<int:code>", methods=["GET", "POST"])
def redirected(code: int) -> Any:
    return redirect(pages.MOVED, code)


@site.get("/cookies/set")
def set_cookies() -> Response:
    response = Response()
    response.set_cookie("a", "one", httponly=True, samesite="Strict")
    response.set_cookie("b", "two words", path="/cookies")
    return response


@site.get("/cookies/delete")
def delete_cookie() -> Response:
    response = Response()
    response.delete_cookie("a")
    return response


@site.get("/cookies")
def cookies() -> Any:
    return request.cookies
