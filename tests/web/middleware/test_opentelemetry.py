"""Spans, recorded by OpenTelemetry's own SDK."""

import sys
from typing import Any

import pytest

from playground.asgi import Receive, Scope, Send
from playground.web.responses import PlainTextResponse
from tests.web.exchange import call, exactly

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from playground.web.applications import Starlette
from playground.web.middleware.opentelemetry import OpenTelemetryMiddleware
from playground.web.routing import Mount, Route


def spans(app: Any, path: str = "/", method: str = "GET", **more: Any) -> tuple[ReadableSpan, ...]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    excluded = more.pop("excluded_urls", ())
    call(OpenTelemetryMiddleware(app, tracer_provider=provider, excluded_urls=excluded), path, method, **more)
    provider.shutdown()
    return exporter.get_finished_spans()


def test_a_span_is_named_by_its_route() -> None:
    app = Starlette(routes=[Mount("/a", routes=[Route("/{b:int}", PlainTextResponse(""))])])
    (span,) = spans(app, "/a/3")
    assert span.name == "GET /a/{b}"
    assert span.attributes is not None
    assert span.attributes["http.route"] == "/a/{b}"
    assert span.attributes["http.response.status_code"] == 200


def test_names_that_a_client_made_up_do_not_become_names_of_spans() -> None:
    (span,) = spans(PlainTextResponse(""), method="MADEUP")
    assert span.name == "HTTP"
    assert span.attributes is not None
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "MADEUP"


def test_an_error_is_recorded_and_raised() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("recorded")

    (span,) = spans(app)
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert [event.name for event in span.events] == ["exception"]


def test_excluded_requests_have_no_span() -> None:
    assert spans(PlainTextResponse(""), "/health", excluded_urls="/ready$, /health$") == ()


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "playground.web.middleware.opentelemetry")
    message = "OpenTelemetryMiddleware needs the package opentelemetry-api. Run `pip install opentelemetry-api`."
    with pytest.raises(ImportError, match=exactly(message)):
        __import__("playground.web.middleware.opentelemetry")
