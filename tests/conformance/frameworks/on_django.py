"""The site in Django's words: one set of views, plain functions as most are, for its ASGI and its WSGI handler.

Django has one configuration a process. Importing this module sets it, unless that is done.
"""

# mypy: disable-error-code="import-untyped, untyped-decorator"
# Django has no types of its own.

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path, re_path
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.static import serve

from tests.conformance.frameworks import pages

__all__ = ["LACKS", "LACKS_WSGI", "make_asgi", "make_wsgi"]

LACKS = {
    "websockets": "Django's ASGI handler takes HTTP alone; websockets come with Channels",
    "empty messages of bytes": "Django's ASGI handler takes HTTP alone",
    "denials": "Django's ASGI handler takes HTTP alone",
    "ranges": "Django's static view serves whole files",
    "ranges from the end": "Django's static view serves whole files",
    "tags": "Django's static view gives no tag",
    "repeated headers": "a response of Django's holds each header once",
}
LACKS_WSGI = LACKS | {"streamed uploads": "Django's WSGI handler reads as much as `Content-Length` says, and no more"}


def make_asgi() -> Any:
    """Make the site for ASGI."""
    _configure()
    return get_asgi_application()


def make_wsgi() -> Any:
    """Make the site for WSGI."""
    _configure()
    return get_wsgi_application()


def _configure() -> None:
    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=__name__,
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="no secret",
            MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
            LOGGING_CONFIG=None,  # pytest's own handlers take what it logs
            DATA_UPLOAD_MAX_MEMORY_SIZE=None,
        )
        django.setup()


@require_safe
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.HELLO, headers={"x-mine": "yes"}, content_type="text/plain; charset=utf-8")


@require_http_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
def echo(request: HttpRequest) -> HttpResponse:
    query = [(name, value) for name, values in request.GET.lists() for value in values]
    return JsonResponse(pages.echoed(request.method or "", query, request.headers.items(), request.body))


@require_safe
def parameters(request: HttpRequest, **parameters: Any) -> HttpResponse:
    return JsonResponse(parameters)


@require_safe
def url(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"url": request.build_absolute_uri()})


@require_POST
def json_page(request: HttpRequest) -> HttpResponse:
    try:
        return JsonResponse({"got": json.loads(request.body)})
    except json.JSONDecodeError:
        return HttpResponse("no JSON", status=400)


@require_POST
def form(request: HttpRequest) -> HttpResponse:
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    files = [
        (name, file.name, file.content_type, file.read()) for name, several in request.FILES.lists() for file in several
    ]
    return JsonResponse(pages.sent(fields, files))


@require_POST
def received(request: HttpRequest) -> HttpResponse:
    tally = pages.Tally()
    while piece := request.read(10_000):
        tally.add(piece)
    return JsonResponse(tally.told())


@require_safe
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@require_safe
def large(request: HttpRequest) -> HttpResponse:
    return HttpResponse(pages.LARGE, content_type="application/octet-stream")


def streamed(request: HttpRequest, pieces: list[Any], kind: str) -> StreamingHttpResponse:
    """A streaming response, by an asynchronous iterator for ASGI, as Django wants it, and a plain one for WSGI."""

    async def each() -> AsyncIterator[Any]:
        for piece in pieces:
            yield await asyncio.to_thread(piece) if callable(piece) else piece

    def each_plainly() -> Iterator[Any]:
        for piece in pieces:
            yield piece() if callable(piece) else piece

    return StreamingHttpResponse(each() if isinstance(request, ASGIRequest) else each_plainly(), content_type=kind)


@require_safe
def stream(request: HttpRequest) -> StreamingHttpResponse:
    return streamed(request, pages.CHUNKS, "application/x-own")


@require_safe
def events(request: HttpRequest) -> StreamingHttpResponse:
    response = streamed(request, pages.EVENTS, "text/event-stream")
    response["cache-control"] = "no-store"
    return response


@require_safe
def waiting(request: HttpRequest, name: str) -> StreamingHttpResponse:
    return streamed(request, ["data: first\n\n", lambda: pages.gate(name)], "text/event-stream")


async def gate(request: HttpRequest, name: str) -> HttpResponse:
    pages.GATES[name].set()
    return HttpResponse()


@require_safe
def status(request: HttpRequest, code: int) -> HttpResponse:
    return HttpResponse(status=code)


@require_safe
def headers(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"\x00", headers={"x-empty": "", "x-spaced": "a  b"}, content_type="application/x-own")


@require_safe
def latin(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"x-latin": pages.LATIN})


@require_safe
def twice(request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response["x-two"] = "a"
    response["x-two"] = "b"
    return response


@require_safe
def refused(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("not for you")


@require_safe
def error(request: HttpRequest) -> HttpResponse:
    pages.fail()
    return HttpResponse()


def redirect(request: HttpRequest, code: int) -> HttpResponse:
    return HttpResponse(status=code, headers={"location": pages.MOVED})


@require_safe
def set_cookies(request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response.set_cookie("a", "one", httponly=True, samesite="Strict")
    response.set_cookie("b", "two words", path="/cookies")
    return response


@require_safe
def delete_cookie(request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response.delete_cookie("a")
    return response


@require_safe
def cookies(request: HttpRequest) -> HttpResponse:
    return JsonResponse(request.COOKIES)


urlpatterns = [
    path("hello", hello),
    path("echo", echo),
    path("numbers/<int:number>", parameters),
    path("words/<str:word>", parameters),
    path("paths/<path:path>", parameters),
    path("url", url),
    path("json", json_page),
    path("form", form),
    path("received", received),
    path("empty", empty),
    path("large", large),
    path("stream", stream),
    path("events", events),
    path("waiting/<name>", waiting),
    path("gate/<name>", gate),
    path("status/<int:code>", status),
    path("headers", headers),
    path("latin", latin),
    path("twice", twice),
    path("refused", refused),
    path("error", error),
    path("redirect/<int:code>", redirect),
    path("cookies/set", set_cookies),
    path("cookies/delete", delete_cookie),
    path("cookies", cookies),
    re_path("^static/(?P<path>.*)$", serve, {"document_root": pages.FOLDER}),
]
