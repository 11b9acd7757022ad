"""What a template is given, and what becomes of it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest

from playground.errors import UsageError
from playground.web.applications import Starlette
from playground.web.requests import Request
from playground.web.routing import Route
from playground.web.templating import Jinja2Templates

from .exchange import call, exactly, http_scope


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text("{{ name }} {{ url_for('home', key='1') }} {{ request.method }}")
    (tmp_path / "text.txt").write_text("{{ name }}")
    return tmp_path


def test_a_template_has_the_request_urls_and_the_context(folder: Path) -> None:
    templates = Jinja2Templates(folder)

    async def home(request: Request[Any]) -> Any:
        return templates.TemplateResponse(request, "page.html", {"name": "<b>"}, 201, headers={"x-a": "1"})

    answer = call(Starlette(routes=[Route("/{key}", home, name="home")]), "/1")
    assert (answer.status, answer.text) == (201, "&lt;b&gt; http://testserver/1 GET")
    assert (answer.headers["content-type"], answer.headers["x-a"]) == ("text/html; charset=utf-8", "1")


def test_only_html_and_xml_are_escaped(folder: Path) -> None:
    response = Jinja2Templates(folder).TemplateResponse(Request(http_scope()), "text.txt", {"name": "<b>"})
    assert response.body == b"<b>"


def test_context_processors_add_to_the_context_and_leave_the_handlers_own_alone(folder: Path) -> None:
    templates = Jinja2Templates(folder, context_processors=[lambda request: {"name": request.method}])
    given: dict[str, Any] = {"other": 1}
    request: Request[Any] = Request(http_scope())
    response = templates.TemplateResponse(request, "text.txt", given)
    assert response.body == b"GET"
    assert response.context == {"other": 1, "request": request, "name": "GET"}
    assert given == {"other": 1}


def test_an_environment_of_ones_own_keeps_what_it_has(folder: Path) -> None:
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(folder), autoescape=True)
    env.globals["url_for"] = lambda name, key: f"own {name} {key}"
    response = Jinja2Templates(env=env).TemplateResponse(Request(http_scope()), "page.html", {"name": "n"})
    assert response.body == b"n own home 1 GET"


def test_a_test_client_is_told_of_the_template(folder: Path) -> None:
    response = Jinja2Templates(folder).TemplateResponse(Request(http_scope()), "text.txt", {"name": "n"})
    assert len(call(response).sent) == 2
    told = call(response, extensions={"http.response.debug": {}}).sent[0]
    assert told["type"] == "http.response.debug"
    assert told["info"] == {"template": response.template, "context": response.context}
    assert response.template.name == "text.txt"


def test_exactly_one_place_of_templates_is_given() -> None:
    with pytest.raises(UsageError, match=exactly("either 'directory' or 'env' arguments must be passed, got neither")):
        Jinja2Templates()  # type: ignore[call-overload]
    with pytest.raises(UsageError, match=exactly("either 'directory' or 'env' arguments must be passed, got both")):
        Jinja2Templates("x", env=jinja2.Environment(autoescape=True))  # type: ignore[call-overload]


def test_the_request_comes_first(folder: Path) -> None:
    message = (
        "TemplateResponse expects the request first, then the template's name; got 'page.html' first. "
        "Write TemplateResponse(request, 'page.html', ...)."
    )
    with pytest.raises(UsageError, match=exactly(message)):
        Jinja2Templates(folder).TemplateResponse("page.html", {"name": "n"})  # type: ignore[arg-type]


def test_a_template_that_is_missing_is_jinjas_error(folder: Path) -> None:
    with pytest.raises(jinja2.TemplateNotFound):
        Jinja2Templates(folder).get_template("no.html")


def test_without_jinja_the_module_is_there_and_says_what_to_install() -> None:
    script = """
import sys
sys.modules["jinja2"] = None
from playground.web.templating import Jinja2Templates
try:
    Jinja2Templates("x")
except AssertionError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "jinja2 must be installed to use Jinja2Templates. Run: pip install 'playground[web]'\n"
