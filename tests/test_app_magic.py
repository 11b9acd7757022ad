"""`%%app` leaves an app and its lab, a lab's paths are completed, and an error is shown with the user's own lines."""

import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from playground import App, Lab
from playground.completion import routes_for
from playground.tracebacks import shorten

CELL = """import time
@app.get("/hello/{name}")
async def hello(name: str):
    return {"hello": name}

@app.post("/report")
def report():
    time.sleep(0.2)
    return "done"

@app.get("/bad")
async def bad():
    return 1 / 0

@app.websocket("/talk")
async def talk(websocket):
    await websocket.accept()
"""


@pytest.fixture(scope="module")
def shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "playground")
    yield shell
    lab = shell.user_ns.get("lab")
    if isinstance(lab, Lab):
        lab.close()
    shell.run_line_magic("unload_ext", "playground")
    InteractiveShell.clear_instance()


def said(shell: Any, cell: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What running a cell writes, without colours."""
    capsys.readouterr()
    shell.run_cell(cell, store_history=True)
    return re.sub(r"\x1b\[[\d;]*m", "", "".join(capsys.readouterr()))


def test_a_cell_of_routes_leaves_an_app_and_its_lab(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(shell, f"%%app clock=virtual threads=4\n{CELL}", capsys)
    assert text.partition("]: ")[2].lstrip() == (
        "GET, HEAD /hello/{name}\nPOST /report\nGET, HEAD /bad\nWEBSOCKET /talk\n"
        "lab = Lab(app, clock='virtual', threads=4)\n"
    )
    lab = shell.user_ns["lab"]
    assert lab.get("/hello/Ada").json() == {"hello": "Ada"}
    assert lab.burst("POST /report", n=8).trace.duration_ns == 400_000_000
    assert lab.app is shell.user_ns["app"]


def test_the_next_cell_starts_afresh_and_closes_the_lab_before(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said(shell, f"%%app\n{CELL}", capsys)
    old = shell.user_ns["lab"]
    said(shell, "%%app\n@app.get('/new')\nasync def new():\n    return 'new'\n", capsys)
    lab = shell.user_ns["lab"]
    assert (lab.get("/new").text, lab.get("/bad").status_code) == ("new", 404)
    assert repr(old).startswith("<Lab closed")


def test_a_cell_that_fails_leaves_what_was_there(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said(shell, f"%%app clock=virtual\n{CELL}", capsys)
    app, lab = shell.user_ns["app"], shell.user_ns["lab"]
    wrong = {
        "%%app\nx = 1\n1 / 0\n": "ZeroDivisionError: division by zero",
        "%%app speed=3\nx = 1\n": (
            "WatchError: expected settings of a lab, such as clock=virtual threads=4, got 'speed=3': there are clock, "
            "threads, seed, schedule, charge_cpu"
        ),
        "%%app threads=none\nx = 1\n": (
            "LabError: expected a number of threads from 1, got 'none': plain def handlers run in them"
        ),
        "%%app\nawait x\n": (
            "WatchError: expected routes in a %%app cell, got a top-level await: put it into a cell of its own"
        ),
    }
    for cell, message in wrong.items():
        assert message in said(shell, cell, capsys)
        assert (shell.user_ns["app"], shell.user_ns["lab"]) == (app, lab)
    assert lab.get("/hello/Ada").status_code == 200


def test_an_error_of_a_handler_is_shown_with_its_cells_line(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said(shell, f"%%app clock=virtual\n{CELL}", capsys)
    text = said(shell, "async def main():\n    await lab.client.get('/bad')\nlab.run(main)", capsys)
    assert re.findall(r"^-+> \d+ (.*)$", text, re.MULTILINE) == [
        "lab.run(main)",
        "    await lab.client.get('/bad')",
        "    return 1 / 0",
    ]
    assert text.rstrip().endswith("ZeroDivisionError: division by zero")
    assert ".py" not in text


def test_an_error_that_is_not_ours_is_shown_as_ever(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(shell, "import json\njson.loads('{')", capsys)
    assert "json/decoder.py" in text
    assert "JSONDecodeError: Expecting property name" in text


def test_a_path_in_a_labs_call_is_completed_and_nothing_else_is(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from IPython.core.completer import provisionalcompleter

    said(shell, f"%%app clock=virtual\n{CELL}", capsys)
    for line, paths in {
        'lab.get("/': ["/bad", "/hello/{name}"],
        "lab.get('/he": ["/hello/{name}"],
        'await lab.client.get("/b': ["/bad"],
        'lab.post("/': ["/report"],
        'lab.burst("POST /': ["/report"],
        'lab.burst("/r': ["/report"],
        'lab.request("GET", "/b': ["/bad"],
        'lab.websocket("/': ["/talk"],
    }.items():
        with provisionalcompleter():
            offered = [each.text for each in shell.Completer.completions(line, len(line))]
        assert offered == paths, line
    for line in ('other.get("/', 'print("/', 'lab.runs("/', 'lab.get("/bad", x="/'):
        assert routes_for(line, {**shell.user_ns, "other": object()}) == []


def test_paths_of_mounted_apps_have_their_prefix() -> None:
    inner, outer = App(), App()

    @inner.get("/item")
    async def item() -> str:
        return "x"

    outer.mount("/shop", inner)
    with Lab(outer, clock="virtual") as lab:
        assert routes_for('lab.get("/', {"lab": lab}) == ["/shop/item"]


def test_unloading_gives_back_all_that_loading_took(shell: Any) -> None:
    shell.run_line_magic("unload_ext", "playground")
    assert {"app", "watch"} & set(shell.magics_manager.magics["cell"]) == set()
    assert shell.Completer.custom_matchers == []
    assert shell.custom_exceptions == ()
    shell.run_line_magic("load_ext", "playground")
    shell.run_line_magic("reload_ext", "playground")
    assert len(shell.Completer.custom_matchers) == 1


def test_a_traceback_through_our_code_keeps_the_users_lines_of_the_cause_too() -> None:
    app = App()

    @app.get("/broken")
    async def broken() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer") from error

    with Lab(app, clock="virtual") as lab:

        async def main() -> None:
            await lab.client.get("/broken")

        with pytest.raises(ValueError, match=r"^outer$") as raised:
            lab.run(main)
    error = raised.value
    shorten(error)
    name = test_a_traceback_through_our_code_keeps_the_users_lines_of_the_cause_too.__name__
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == [name, "main", "broken"]
    assert error.__cause__ is not None
    assert [frame.name for frame in traceback.extract_tb(error.__cause__.__traceback__)] == ["broken"]
