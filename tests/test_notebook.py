"""A response as a cell's value: readable, and nothing of it is markup."""

import json

import httpx
import pytest

from playground.notebook import SHOWN_CHARACTERS, register, response_html, response_text

NASTY = "<script>alert('x')</script>"


def test_json_is_pretty_printed() -> None:
    response = httpx.Response(200, json={"hello": "Zoë", "numbers": [1, 2]})
    text = response_text(response)
    assert text.startswith("200 OK\n")
    assert text.endswith(json.dumps({"hello": "Zoë", "numbers": [1, 2]}, indent=2, ensure_ascii=False))
    assert "content-type: application/json" in text


def test_json_that_is_none_is_shown_as_it_is() -> None:
    response = httpx.Response(200, content=b"{oops", headers={"content-type": "application/json"})
    assert response_text(response).endswith("\n\n{oops")


def test_nothing_of_a_response_is_markup() -> None:
    response = httpx.Response(
        200,
        text=NASTY,
        headers={"x-nasty": NASTY, NASTY.replace("(", "").replace(")", ""): "name"},
        extensions={"reason_phrase": NASTY.encode()},
    )
    shown = response_html(response)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 4


def test_a_large_body_is_cut_with_its_size() -> None:
    text = response_text(httpx.Response(200, text="x" * 100_000))
    assert text.endswith("x…\n(100,000 bytes in all)")
    assert text.count("x") == SHOWN_CHARACTERS + 1  # and the one of text/plain


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (httpx.Response(204), "(no body)"),
        (httpx.Response(200, content=b"\x89PNG", headers={"content-type": "image/png"}), "(4 bytes of image/png)"),
        (httpx.Response(200, content=b"\xff\xfe"), "(2 bytes of unnamed content)"),
        (httpx.Response(200, content=b"plain"), "plain"),
        (httpx.Response(200, stream=httpx.ByteStream(b"x")), "(the body has not been read: it streams)"),
    ],
)
def test_other_bodies_are_named(response: httpx.Response, body: str) -> None:
    assert response_text(response).endswith(f"\n\n{body}")


def test_ipython_shows_it() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    register(shell)
    try:
        data, _ = shell.display_formatter.format(httpx.Response(200, text="hello"))
    finally:
        InteractiveShell.clear_instance()
    assert data["text/plain"] == response_text(httpx.Response(200, text="hello"))
    assert "hello" in data["text/html"]
