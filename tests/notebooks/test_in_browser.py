"""The first notebook and every view of what it recorded, in a real JupyterLab in a real browser, there and back.

What a view computes and how a widget behaves are tested nearer to them; here the whole chain is, once: cells run, a
person moves in each view, and Python hears of it. One JupyterLab serves all tests, for it takes half a minute to start.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.browser import chromium_page
from tests.conftest import own_settings
from tests.jupyterlab import running_lab
from tests.notebooks.first_notebook import BLOCKED, HANDLER, PATIENCE_MS, WORKER, Shown, pictured
from tests.widgets.axe import problems
from tests.widgets.test_node import tools

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

NASTY = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>"

# What a reader selected: there are several timelines, and in one of them somebody did.
SELECTION = (
    "[view.selection for view in __import__('gc').get_objects()"
    " if type(view).__name__ == 'Timeline' and view.selection][0]"
)

# What stands at the end of the notebook's copy: the other views of what the notebook recorded.
OTHER_VIEWS = (
    "stage = run.trace.theatre()\nstage",
    "fall = run.requests[10].waterfall()\nfall",
    "from playground import compare\nbeside = compare(before=run, after=mended)\nside = beside.view()\nside",
    f"""
nasty = {NASTY!r}
quick = App()

@quick.get("/quick")
async def answer():
    await asyncio.sleep(0.02)

@quick.get("/" + nasty)
async def fail():
    raise RuntimeError(nasty)

bench = Lab(quick, clock="virtual")
board = bench.panel()
board""",
)

CELLS = [
    ("theatre", "run.trace.theatre"),
    ("waterfall", "requests[10].waterfall"),
    ("compare", "beside.view"),
    ("timeline", "bench.panel"),
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The first notebook's copy with all views in it, opened by `playground lab` and run from top to bottom."""
    scratch = tmp_path_factory.mktemp("lab")
    folder = shutil.copytree(NOTEBOOKS, scratch / "notebooks")
    first = min(folder.glob("*.ipynb"))
    notebook = nbformat.read(first, as_version=nbformat.NO_CONVERT)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in OTHER_VIEWS]
    nbformat.write(notebook, first)
    options = (f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True")
    with (
        chromium_page(viewport={"width": 1400, "height": 1000}) as page,
        own_settings(scratch),
        running_lab(*options) as address,
    ):
        page.set_default_timeout(PATIENCE_MS)
        with pictured(page, scratch / "failed.png"):
            page.goto(address)
            page.get_by_text(re.compile(r"^Python 3 .*\| Idle$")).wait_for()
            page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")
            host = page.locator(".jp-CodeCell").filter(has_text="lab.burst(fifty").get_by_test_id("timeline")
            host.scroll_into_view_if_needed()
            page.locator("[data-painted=true]").and_(host).wait_for()
        (connection,) = (scratch / "jupyter_runtime_dir").glob("kernel-*.json")
        yield Shown(page, host, connection)


@pytest.fixture(autouse=True)
def picture_of_a_failure(shown: Shown, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave a picture of the page where a test failed."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        shown.page.screenshot(path=tmp_path / "failed.png")


def zoom_in(page: "Page") -> None:
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Control")


def test_the_first_notebook_paints_zooms_names_and_tells_python(shown: Shown) -> None:
    painted = {colour: place["count"] for colour, place in shown.colours().items()}
    assert painted[BLOCKED] > 1000
    assert painted[WORKER] > 1000
    assert painted[HANDLER] > 20  # its steps take microseconds: a few bars, a pixel wide

    shown.point_at(BLOCKED)
    tip = shown.host.get_by_test_id("timeline-tip")
    tip.wait_for()
    assert re.match(r"GET /report\s+blocking the loop\s+20\d ms\b", tip.inner_text())
    assert shown.host.get_attribute("data-hover") == "GET /report"

    start_ns, end_ns = shown.visible_ns()
    zoom_in(shown.page)
    shown.page.wait_for_function(
        "([host, end]) => Number(host.dataset.visibleEndNs) < end", arg=[shown.host.element_handle(), end_ns]
    )
    zoomed_start_ns, zoomed_end_ns = shown.visible_ns()
    assert start_ns < zoomed_start_ns < zoomed_end_ns < end_ns

    shown.page.mouse.down()
    shown.page.mouse.up()
    shown.page.locator("[data-selected]").and_(shown.host).wait_for()
    selection = shown.ask_python(SELECTION)
    (block,) = shown.ask_python("[(block.start_ns, run.requests[10].number) for block in run.trace.blocks(0.15)]")
    assert (selection["label"], selection["kind"]) == ("GET /report", "blocked")
    assert [selection["start_ns"], selection["request"]] == block


def test_keys_in_the_timeline_are_no_commands_of_jupyterlab_and_enter_goes_to_the_line(shown: Shown) -> None:
    cells = shown.page.locator(".jp-Notebook .jp-Cell")
    before = cells.count()
    lanes = shown.host.get_by_role("application")
    lanes.focus()
    # to JupyterLab: insert a cell below, delete one, cut, paste, insert above, undo, make it Markdown
    for key in ("b", "d", "d", "x", "v", "a", "z", "m", "b"):
        shown.page.keyboard.press(key)
    shown.page.keyboard.press("/")
    shown.page.keyboard.type("report b dd x 10")
    shown.page.keyboard.press("Escape")
    assert cells.count() == before
    assert lanes.evaluate("lanes => lanes.getRootNode().activeElement === lanes")
    assert shown.host.get_attribute("data-selected") == "GET /report"

    shown.page.keyboard.press("Enter")
    note = shown.host.get_by_test_id("timeline-detail").locator(".outcome")
    note.wait_for()
    (block,) = shown.ask_python(
        "[(block.site.file, block.site.line, block.site.text) for block in run.trace.blocks(0.15)]"
    )
    assert note.inner_text() == f"{block[0]}, line {block[1]} is marked in its cell."
    prompt = shown.page.locator(".jp-InputPrompt", has_text=f"[{block[0].removeprefix('cell ')}]:")
    marked = shown.page.locator(".jp-CodeCell").filter(has=prompt).locator(".cm-line").nth(block[1] - 1)
    assert marked.inner_text().strip() == block[2]
    box, height = marked.bounding_box(), shown.page.viewport_size
    assert box is not None
    assert height is not None
    assert 0 < box["y"] < height["height"]
    assert cells.count() == before
    (opened,) = shown.ask_python(
        "[view.opened for view in __import__('gc').get_objects() if type(view).__name__ == 'Timeline' and view.opened]"
    )
    assert list(opened.values()) == block


def test_a_hand_off_is_followed_from_its_worker_to_the_step_that_it_woke(shown: Shown) -> None:
    lanes, live = shown.host.get_by_role("application"), shown.host.get_by_test_id("timeline-live")
    shown.host.scroll_into_view_if_needed()
    lanes.press("0")  # the whole run, with all workers in it
    shown.page.wait_for_function(
        "([host, end]) => Number(host.dataset.visibleEndNs) === end",
        arg=[shown.host.element_handle(), shown.ask_python("run.trace.duration_ns")],
    )
    shown.point_at(WORKER)
    shown.page.mouse.down()
    shown.page.mouse.up()
    assert re.match(r"worker-\d+: export, running in a worker thread, ", live.inner_text())
    shown.wait_for_python(f"({SELECTION})['kind'] == 'thread'")
    (woken_ns,) = shown.ask_python(
        f"[call.woken_ns for call in run.trace.handoffs if call.started_ns == ({SELECTION})['start_ns']]"
    )
    lanes.press("a")
    assert live.inner_text().startswith("Event loop: GET /export")
    shown.wait_for_python(f"({SELECTION})['start_ns'] == {woken_ns}")


def test_the_theatre_goes_forward_and_back_through_equal_states(shown: Shown) -> None:
    host = shown.view("theatre", "run.trace.theatre")
    slider = host.get_by_role("slider")

    def state() -> tuple[str | None, str, str]:
        stage = host.locator(".stage").inner_text()
        return host.get_attribute("data-step"), stage, host.locator(".said").inner_text()

    slider.press("Home")
    there = [state()]
    for _ in range(12):
        slider.press("ArrowRight")
        there.append(state())
    back = [there[-1]]
    for _ in range(12):
        slider.press("ArrowLeft")
        back.append(state())
    assert [step for step, _, _ in there] == [str(step) for step in range(13)]
    assert back == there[::-1]
    assert len({sentence for _, _, sentence in there}) > 6
    shown.wait_for_python("stage.step == 0")


def test_a_prediction_hides_what_comes_and_counts_the_guess(shown: Shown) -> None:
    host = shown.view("theatre", "run.trace.theatre")
    slider, question = host.get_by_role("slider"), host.locator(".asked")
    slider.press("Home")
    predict = host.get_by_role("button", name="Predict")
    predict.click()
    question.wait_for()
    assert question.get_by_role("button").count() >= 2
    slider.press("ArrowRight")
    assert host.get_attribute("data-step") == "0"  # nothing is shown before the choice
    question.get_by_role("button").first.click()
    assert host.get_attribute("data-step") == "1"
    shown.wait_for_python("stage.guesses and sum(stage.guesses.values()) == 1 and stage.predict")
    predict.click()
    question.wait_for(state="hidden")
    shown.wait_for_python("not stage.predict")


def test_the_waterfall_of_the_request_that_blocked_is_gone_through(shown: Shown) -> None:
    host = shown.view("waterfall", "requests[10].waterfall")
    live = host.get_by_test_id("waterfall-live")
    stop = host.locator("[tabindex='0']").first
    said = set()
    for _ in range(8):
        stop.press("ArrowDown")
        said.add(live.inner_text())
        stop = host.locator("[tabindex='0']").first
    assert len(said) >= 3
    title = shown.ask_python("fall.title")
    assert "GET /report" in title
    assert host.locator("header").inner_text().startswith(title)


def test_the_comparison_concludes_as_python_does_and_zooms_all_runs_at_once(shown: Shown) -> None:
    host = shown.view("compare", "beside.view")
    assert host.get_by_test_id("compare-conclusion").inner_text() == shown.ask_python("beside.conclusion")
    lanes = host.locator("[tabindex='0']").first

    def visible_ns() -> tuple[int, int]:
        start, end = (int(host.get_attribute(f"data-visible-{edge}-ns") or 0) for edge in ("start", "end"))
        return start, end

    whole = visible_ns()
    lanes.press("+")
    shown.page.wait_for_function(
        "([host, end]) => Number(host.dataset.visibleEndNs) < end", arg=[host.element_handle(), whole[1]]
    )
    lanes.press("0")
    shown.page.wait_for_function(
        "([host, end]) => Number(host.dataset.visibleEndNs) === end", arg=[host.element_handle(), whole[1]]
    )
    assert visible_ns() == whole


def test_the_dashboards_controls_change_the_run(shown: Shown) -> None:
    host = shown.view("timeline", "bench.panel")
    board = shown.page.locator(".jp-CodeCell").filter(has_text="bench.panel").locator(".jp-OutputArea-output").last

    def run(words: str, **settings: str) -> str:
        """Set some controls, press Run, wait for the picture to say these words; gives its header."""
        for name, value in settings.items():
            board.get_by_label(re.compile(f"^{name.capitalize()}")).fill(value)
            shown.page.keyboard.press("Tab")
        board.get_by_role("button", name="Run").click()
        header = host.locator("header", has_text=words)
        header.wait_for()
        return header.inner_text()

    first = run("7 requests", route="/quick", requests="7", rate="0")
    assert "virtual time" in first
    run("9 requests", requests="9")
    assert shown.ask_python("[len(each.requests) for each in bench.runs]") == [7, 9]
    board.get_by_label(re.compile("^Clock")).select_option("real time")
    assert "real time" in run("9 requests, 9 answered 500", route="/" + NASTY)
    assert "<img src=x" in board.locator("[role=status]").inner_text()
    assert shown.page.evaluate("window.hacked ?? null") is None


@pytest.mark.parametrize(("name", "cell"), CELLS)
def test_keys_in_a_view_are_no_commands_of_jupyterlab(shown: Shown, name: str, cell: str) -> None:
    host = shown.view(name, cell)
    cells = shown.page.locator(".jp-Notebook .jp-Cell")
    before = cells.evaluate_all("cells => cells.map(({className}) => className.match(/jp-(Code|Markdown)Cell/)[0])")
    stop = host.locator("[tabindex='0']").first
    stop.focus()
    for key in ("b", "d", "d", "x", "v", "z", "y", "m", "j", "k"):
        shown.page.keyboard.press(key)
    after = cells.evaluate_all("cells => cells.map(({className}) => className.match(/jp-(Code|Markdown)Cell/)[0])")
    assert after == before
    assert host.evaluate("host => host.shadowRoot.activeElement !== null")


def test_axe_finds_nothing_in_cell_outputs_in_any_theme(shown: Shown) -> None:
    tools()
    found, grounds = [], []
    for theme in ("JupyterLab Dark", "JupyterLab Dark High Contrast", "JupyterLab Light"):
        shown.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => true)", theme
        )
        shown.page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
        for name, cell in CELLS:
            ground = "root => getComputedStyle(root).backgroundColor"
            grounds.append(shown.view(name, cell).locator("section.root").evaluate(ground))
        found += [f"{theme}: {problem}" for problem in problems(shown.page, ".playground-view, .jupyter-widgets")]
    assert found == []
    assert grounds == [f"rgb({byte}, {byte}, {byte})" for byte in (17, 0, 255) for _ in CELLS]
