"""Files of a folder: which are served, which are not, and when the client has them already."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.errors import UsageError
from playground.web.exceptions import HTTPException
from playground.web.staticfiles import StaticFiles

from .exchange import Backend, Exchange, call, call_scope, exactly, http_scope


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder `public` with a page and a file, beside a file that is not to be seen."""
    public = tmp_path / "public"
    (public / "sub").mkdir(parents=True)
    (public / "a.txt").write_text("hello")
    (public / "sub" / "index.html").write_text("<p>")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "public_too").mkdir()
    (tmp_path / "public_too" / "b.txt").write_text("secret")
    os.utime(public / "a.txt", (1_000_000_000, 1_000_000_000))
    return public


def get(app: StaticFiles, path: str, method: str = "GET", backend: Backend = "asyncio", **headers: str) -> Exchange:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return call(app, path, method, headers=raw, backend=backend)


def refused(exchange: Exchange) -> tuple[int, str, Any]:
    error = exchange.error
    assert isinstance(error, HTTPException)
    return error.status_code, error.detail, error.headers


NOT_FOUND = (404, "Not Found", None)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_file_is_served(folder: Path, backend: Backend) -> None:
    answer = get(StaticFiles(directory=folder), "/a.txt", backend=backend)
    assert (answer.status, answer.text, answer.headers["content-type"]) == (200, "hello", "text/plain; charset=utf-8")
    assert get(StaticFiles(directory=str(folder)), "/a.txt", "HEAD").body == b""
    assert get(StaticFiles(directory=folder), "/sub/../a.txt").text == "hello"


def test_other_methods_are_refused(folder: Path) -> None:
    expected = (405, "Method Not Allowed", {"Allow": "GET, HEAD"})
    assert refused(get(StaticFiles(directory=folder), "/a.txt", "POST")) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sub",
        "/no.txt",
        "/a.txt/no",
        "/a\0.txt",
        "/" + "a" * 5000,
        "/../secret.txt",
        "/../public_too/b.txt",
        "/sub/../../secret.txt",
        "//etc/passwd",
        "/..\\secret.txt",
        "\\\\server\\share",
        "/%2e%2e/secret.txt",
    ],
)
@pytest.mark.parametrize("follow", [False, True])
def test_what_is_not_in_the_folder_is_not_found(folder: Path, path: str, follow: bool) -> None:
    assert refused(get(StaticFiles(directory=folder, follow_symlink=follow), path)) == NOT_FOUND


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["..", ".", "", "sub", "public", "public_too", "secret.txt", "b.txt", "\\", "~", "/"])))
def test_no_path_leads_out_of_the_folder(folder: Path, parts: list[str]) -> None:
    for follow in (False, True):
        answer = get(StaticFiles(directory=folder, follow_symlink=follow), "/" + "/".join(parts))
        assert refused(answer) == NOT_FOUND


def test_links_lead_out_of_the_folder_only_if_they_may(folder: Path) -> None:
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "inside.txt").symlink_to(folder / "a.txt")
    (folder / "loop").symlink_to(folder / "loop")
    (folder.parent / "alias").symlink_to(folder)
    strict, lenient = StaticFiles(directory=folder), StaticFiles(directory=folder, follow_symlink=True)
    assert refused(get(strict, "/link.txt")) == NOT_FOUND
    assert get(lenient, "/link.txt").text == "secret"
    assert get(strict, "/inside.txt").text == "hello"
    assert refused(get(lenient, "/loop")) == NOT_FOUND
    assert get(StaticFiles(directory=folder.parent / "alias"), "/a.txt").text == "hello"


def test_a_folder_has_a_page_in_html_mode(folder: Path) -> None:
    app = StaticFiles(directory=folder, html=True)
    assert get(app, "/sub/").text == "<p>"
    moved = call(app, "/static/sub", root_path="/static", query_string=b"a=1")
    assert (moved.status, moved.headers["location"]) == (307, "http://testserver/static/sub/?a=1")
    assert refused(get(app, "/no")) == NOT_FOUND
    (folder / "404.html").write_text("lost")
    lost = get(app, "/no", if_none_match="*")
    assert (lost.status, lost.text) == (404, "lost")


def test_the_client_is_told_if_it_has_the_file(folder: Path) -> None:
    app = StaticFiles(directory=folder)
    etag = get(app, "/a.txt").headers["etag"]
    fresh: dict[str, list[Any]] = {
        "if_none_match": [etag, f"W/{etag}", f'"1", {etag}', f'"1",\tW/{etag}', " * "],
        "if_modified_since": ["Sun, 09 Sep 2001 01:46:40 GMT", "Mon, 10 Sep 2001 00:00:00 GMT"],
    }
    for name, values in fresh.items():
        for value in values:
            answer = get(app, "/a.txt", **{name: value})
            assert (answer.status, answer.body, answer.headers) == (304, b"", {"etag": etag})
    stale: dict[str, list[Any]] = {
        "if_none_match": ['"1"', '"*"', etag[1:-1], '"' * 50_001],
        "if_modified_since": ["Sun, 09 Sep 2001 01:46:39 GMT", "yesterday", " ", ""],
    }
    for name, values in stale.items():
        for value in values:
            assert get(app, "/a.txt", **{name: value}).status == 200
    both = get(app, "/a.txt", if_none_match='"1"', if_modified_since="Mon, 10 Sep 2001 00:00:00 GMT")
    assert both.status == 200


def test_a_websocket_is_closed(folder: Path) -> None:
    sent = call_scope(StaticFiles(directory=folder), {**http_scope("/a.txt"), "type": "websocket"}).sent
    assert sent == [{"type": "websocket.close", "code": 1000, "reason": ""}]


def test_packages_bring_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("statics", "other"):
        (tmp_path / "a_package_of_tests" / name).mkdir(parents=True)
        (tmp_path / "a_package_of_tests" / name / "x.txt").write_text(name)
    (tmp_path / "a_package_of_tests" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert get(StaticFiles(packages=["a_package_of_tests"]), "/x.txt").text == "statics"
    assert get(StaticFiles(packages=[("a_package_of_tests", "other")]), "/x.txt").text == "other"
    message = "Directory 'no' in package 'a_package_of_tests' could not be found."
    with pytest.raises(UsageError, match=exactly(message)):
        StaticFiles(packages=[("a_package_of_tests", "no")])
    with pytest.raises(UsageError, match=exactly("Package 'no_such_package' could not be found.")):
        StaticFiles(packages=["no_such_package"])


def test_a_folder_that_is_none_is_refused(folder: Path) -> None:
    missing, file = folder / "no", folder / "a.txt"
    with pytest.raises(RuntimeError, match=exactly(f"Directory '{missing}' does not exist")):
        StaticFiles(directory=missing)
    app = StaticFiles(directory=missing, check_dir=False)
    assert str(get(app, "/x").error) == f"StaticFiles directory '{missing}' does not exist."
    app = StaticFiles(directory=file, check_dir=False)
    assert str(get(app, "/x").error) == f"StaticFiles path '{file}' is not a directory."


def test_a_file_that_may_not_be_looked_at_is_401(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(path: str) -> tuple[str, os.stat_result | None]:
        raise PermissionError(13, "Permission denied")

    app = StaticFiles(directory=folder)
    monkeypatch.setattr(app, "lookup_path", deny)
    assert refused(get(app, "/a.txt")) == (401, "Unauthorized", None)
