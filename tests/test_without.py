"""What works without something that is usually there: a library, a notebook, a file. Where it cannot, what is said."""

import gc
import io
import logging
import pickle
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import playground.widgets
from playground import App, Lab
from playground import __main__ as cli
from playground.collecting import _back_to_work, without_collecting
from playground.errors import LabError, SweepError
from playground.progress import _TerminalLine
from playground.sweep import _packed


@pytest.fixture
def app() -> App:
    app = App()

    @app.get("/")
    def hello() -> str:
        return "hello"

    return app


def test_serving_without_uvicorn_names_the_command_that_installs_it(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    words = (
        r"^expected uvicorn to be installed, which serves an app on a socket: run pip install 'playground\[serve\]'$"
    )
    with Lab(app) as lab:
        with pytest.raises(LabError, match=words), lab.serve():
            pass
        assert lab.get("/").text == "hello"


def test_a_server_shows_its_address(app: App) -> None:
    with Lab(app) as lab, lab.serve() as server:
        assert repr(server) == f"<Server {server.url}>"


def test_a_scenario_of_a_cells_cannot_travel_without_cloudpickle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    scenario: Callable[..., Any] = lambda: None  # noqa: E731 (it is the lambda that has no name to be found by)
    assert _packed(scenario, travels=False) is scenario
    words = r"^expected a scenario that can travel to other processes, got .+: install cloudpickle \(it is in "
    with pytest.raises(SweepError, match=words + r"playground\[models\]\), or define it in a module$"):
        _packed(scenario, travels=True)


def test_without_a_recording_what_an_app_raises_in_a_burst_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = App()

    @app.get("/")
    def fails() -> str:
        raise ValueError("on the way")

    with Lab(app, trace=False) as lab, caplog.at_level(logging.ERROR):
        answers = lab.burst("/", n=2).responses
    assert [answer.status_code for answer in answers] == [500, 500]
    told = [record for record in caplog.records if record.getMessage() == "GET /: the app raised this."]
    assert [str(record.exc_info and record.exc_info[1]) for record in told] == ["on the way", "on the way"]


def test_a_response_travels_as_the_client_librarys_own(app: App) -> None:
    with Lab(app) as lab:
        response = lab.get("/")
    copy = pickle.loads(pickle.dumps(response))
    assert type(copy) is httpx.Response
    assert (copy.status_code, copy.text, copy.headers) == (200, "hello", response.headers)


def test_a_forked_process_collects_though_its_parent_was_at_rest() -> None:
    assert gc.isenabled()
    with without_collecting():
        assert not gc.isenabled()
        _back_to_work()
        assert gc.isenabled()
    assert gc.isenabled()


def test_progress_is_written_over_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((Terminal(), "\rhalf\r\x1b[K"), (io.StringIO(), "")):
        monkeypatch.setattr(sys, "stderr", stream)
        line = _TerminalLine()
        line.write("half")
        line.clear()
        assert stream.getvalue() == shown


def test_views_are_listed_before_any_is_loaded() -> None:
    assert set(playground.widgets.__all__) <= set(dir(playground.widgets))


def test_a_failure_that_is_about_no_file_is_seen_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(options: object) -> int:
        raise OSError("no file has a part in this")

    monkeypatch.setattr(cli, "demo", fails)
    with pytest.raises(OSError, match=r"^no file has a part in this$"):
        cli.main(["demo"])
