"""What an app names is shown as text, wherever it is shown: in every view, export and fallback, one test for each.

The names come from a run in a real lab: see `hostile`. The pages run in a real browser, where a dialog, a script's
mark or an element that no view makes tells that a text was taken for markup.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from playwright.sync_api import Dialog, Page, expect

from playground import App, Lab, compare
from playground.notebook import response_html, response_text
from playground.run import Run
from playground.trace import Trace
from playground.trace.recorder import Recorder
from playground.views.text import report
from tests.browser import Chromium
from tests.widgets import live_stage
from tests.widgets.every_view import TABS, VIEWS, Shown, show
from tests.widgets.hostile import NASTY, PROBES, SPEAKABLE, hostile_run, is_harmless
from tests.widgets.pages import WIDE

# Elements that only a text taken for markup could have made: no view and no page of ours has one of them.
STRANGERS = """
() => {
  const found = [];
  const look = (tree) => {
    for (const element of tree.querySelectorAll('*')) {
      const handlers = element.getAttributeNames().filter((name) => name.startsWith('on'));
      const isStrange = ['IMG', 'SCRIPT', 'IFRAME', 'STYLE', 'LINK'].includes(element.tagName);
      if (isStrange && tree !== document || handlers.length) {
        found.push(element.outerHTML.slice(0, 200));
      }
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  return found;
}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return hostile_run(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def trace(run: Run) -> Trace:
    return run.trace


@pytest.fixture
def unharmed(chromium: Chromium) -> Callable[..., Any]:
    """Runs a scenario in a page and fails if anything ran, opened, broke or came in that should not have."""

    def in_browser(scenario: Callable[[Page], Any], **options: Any) -> Any:
        trouble: list[str] = []

        def dismissed(dialog: Dialog) -> None:
            trouble.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        def watched(page: Page) -> Any:
            page.on("dialog", dismissed)
            page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
            told = scenario(page)
            if options.get("java_script_enabled", True):
                trouble.extend(page.evaluate(STRANGERS))
                assert page.evaluate("window.hacked ?? null") is None
            return told

        told = chromium.run(watched, **{**WIDE, **options})
        assert trouble == []
        return told

    return in_browser


def shows(text: str) -> bool:
    """Whether the beginning of the nasty text is there, letter by letter; spaces may have been broken into lines."""
    return "<script>window.hacked=1;alert(1)</script><img" in re.sub(r"\s+", " ", text)


def test_the_run_is_as_hostile_as_it_should_be(run: Run, trace: Trace) -> None:
    texts = {
        "path": trace.requests[0].path,
        "task": " ".join(task.name for task in trace.tasks),
        "coroutine": " ".join(task.coroutine for task in trace.tasks),
        "function": trace.handoffs[0].function,
        "error": " ".join(request.error or "" for request in trace.requests),
        "title": trace.title,
        "findings": str(run.diagnosis),
        "layer": " ".join(span.name for span in trace.spans),
        "body": run.responses[0].text,
    }
    assert [name for name, text in texts.items() if "<script>" not in text] == []
    assert "script>" in " ".join(sample.site.file for sample in trace.samples if sample.site is not None)
    assert [name for name, probe in PROBES.items() if probe not in trace.handoffs[0].function] == []
    assert trace.blocks() != []


# -- views --------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_shows_it_as_text(unharmed: Callable[..., Any], trace: Trace, name: str) -> None:
    def scenario(page: Page) -> str:
        screen = show(page, name, trace)
        seen = screen.root.inner_text()
        stop = screen.root.locator("[tabindex='0']").first
        for key in ("ArrowRight", "ArrowDown", "ArrowDown", "b", "ArrowDown", "End", "a"):
            stop.press(key)
            screen.settle()
            seen += screen.root.inner_text()
        screen.open_everything()
        screen.root.hover()
        return seen + screen.root.inner_text()

    assert shows(unharmed(scenario))


async def nasty_tasks(recorder: Recorder, look: Callable[[], None]) -> None:
    """Tasks that are named by markup, and a look at them while they run."""

    async def work() -> None:
        for _ in range(3):
            await asyncio.sleep(0.01)

    work.__qualname__ = NASTY
    tasks = [asyncio.create_task(work(), name=NASTY) for _ in range(3)]
    await asyncio.sleep(0.015)
    look()
    await asyncio.gather(*tasks)


@pytest.mark.browser
def test_a_live_view_shows_it_as_text_while_the_run_goes_on(unharmed: Callable[..., Any]) -> None:
    heard = live_stage.told(nasty_tasks)
    (first, *_), (more, *_) = heard.of("recording"), heard.of("more")

    def scenario(page: Page) -> str:
        stage = live_stage.Stage(page, first)
        stage.show(more)
        said = ""
        for key in ("Home", *["ArrowRight"] * 6):
            stage.host.get_by_role("application").press(key)
            stage.settle()
            said += str(stage.host.locator("section.root").inner_text())
        return said

    assert shows(unharmed(scenario))


@pytest.mark.browser
def test_the_dashboard_says_what_an_app_raised_as_text(unharmed: Callable[..., Any]) -> None:
    app = App()

    @app.get("/error")
    async def error() -> None:
        raise RuntimeError(NASTY)

    with Lab(app, clock="virtual") as lab:
        panel = lab.panel()
        panel._controls["route"].value = "/error"
        panel._on_run()
        assert panel._running is not None
        panel._running.join(30)
        words, markup = panel.said, panel.children[1].value
        panel.close()

    def scenario(page: Page) -> str:
        page.set_content(f"<main>{markup}</main>")
        return page.locator("main").inner_text()

    assert shows(words)
    assert is_harmless(words)
    assert shows(unharmed(scenario))


# -- pages --------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_page_of_its_own_shows_it_as_text(
    unharmed: Callable[..., Any], trace: Trace, tmp_path: Path, scripts: bool
) -> None:
    path = tmp_path / "hostile.html"
    trace.to_html(path)

    def scenario(page: Page) -> list[str]:
        page.goto(path.as_uri())
        if not scripts:
            return [page.title(), page.locator("svg").text_content() or ""]
        told = [page.title()]
        for tab, name in TABS.items():
            page.get_by_role("tab", name=tab).click()
            expect(Shown(page, name).root).to_be_visible()
            told.append(page.locator("main").inner_text() + Shown(page, name).root.inner_text())
        return told

    told = unharmed(scenario, java_script_enabled=scripts)
    assert [shows(text) for text in told] == [True] * len(told)


@pytest.mark.browser
def test_the_page_of_a_comparison_shows_it_as_text(unharmed: Callable[..., Any], trace: Trace, tmp_path: Path) -> None:
    path = tmp_path / "compared.html"
    compare({"before": trace, NASTY: trace}).to_html(path)

    def scenario(page: Page) -> str:
        page.goto(path.as_uri())
        root = Shown(page, "compare").root
        expect(root).to_be_visible()
        return root.inner_text()

    assert shows(unharmed(scenario))


@pytest.mark.browser
def test_the_picture_shows_it_as_text(unharmed: Callable[..., Any], trace: Trace, tmp_path: Path) -> None:
    picture = trace.to_svg(tmp_path / "hostile.svg")
    tree = ElementTree.fromstring(picture)  # well-formed: without what XML forbids, such as most control characters
    assert shows("".join(tree.itertext()))
    assert is_harmless(picture)
    drawn = {"svg", "title", "rect", "path", "text", "tspan", "g", "line", "polyline"}
    assert {element.tag.split("}")[1] for element in tree.iter()} <= drawn

    def scenario(page: Page) -> str:
        page.goto((tmp_path / "hostile.svg").as_uri())
        alone = page.locator("svg").text_content() or ""
        page.goto("about:blank")
        page.set_content(f"<main>{picture}</main>")
        return alone + (page.locator("main").text_content() or "")

    assert unharmed(scenario).count("<script>window.hacked=1;") >= 4


@pytest.mark.browser
def test_a_converted_notebook_shows_it_as_text(
    unharmed: Callable[..., Any], run: Run, trace: Trace, tmp_path: Path
) -> None:
    from nbconvert.exporters import HTMLExporter

    notebook = nbformat.v4.new_notebook()
    shown = [
        {"text/plain": report(trace), "image/svg+xml": trace.to_svg()},  # it becomes an image: a data: URL
        {"text/plain": report(trace)},
        {"text/plain": response_text(run.responses[0]), "text/html": response_html(run.responses[0])},
        {"text/plain": str(run.diagnosis)},
    ]
    outputs = [nbformat.v4.new_output("display_data", data) for data in shown]
    notebook.cells = [nbformat.v4.new_code_cell("run", outputs=outputs)]
    html = HTMLExporter().from_notebook_node(notebook)[0]  # type: ignore[no-untyped-call]
    (tmp_path / "notebook.html").write_text(html, encoding="utf-8")

    def scenario(page: Page) -> list[str]:
        page.route("http*://**", lambda route: route.abort())
        page.goto((tmp_path / "notebook.html").as_uri(), wait_until="domcontentloaded")
        return page.locator(".jp-OutputArea-output").all_text_contents()

    told = unharmed(scenario)
    assert [shows(text) for text in told] == [False, True, True, True]


# -- fallbacks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VIEWS)
def test_what_stands_for_a_view_where_nothing_runs_is_text(trace: Trace, name: str) -> None:
    data, _ = VIEWS[name](trace)._repr_mimebundle_(include=None, exclude=None)
    words, picture = data["text/plain"], data["image/svg+xml"]
    assert is_harmless(words)
    assert is_harmless(picture)
    assert "<script>window.hacked" in re.sub(r"\s+", " ", words)
    assert "<script>window.hacked" in "".join(ElementTree.fromstring(picture).itertext())


# -- texts --------------------------------------------------------------------------------------------------


def test_the_plain_text_holds_nothing_that_a_terminal_would_obey(trace: Trace) -> None:
    assert is_harmless(report(trace))
    assert shows(report(trace))


def test_the_findings_are_words(run: Run) -> None:
    told = str(run.diagnosis)
    assert is_harmless(told)
    assert shows(told)
    assert [is_harmless(str(finding)) for finding in run.diagnosis] == [True] * len(run.diagnosis)
    assert not hasattr(run.diagnosis, "_repr_html_")


def test_a_response_is_shown_as_text(run: Run) -> None:
    html = response_html(run.responses[0])
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_a_chrome_trace_holds_it_as_text(trace: Trace, tmp_path: Path) -> None:
    trace.to_chrome(tmp_path / "hostile.json")
    written = (tmp_path / "hostile.json").read_bytes()
    events = json.loads(written)
    told = json.dumps(events, ensure_ascii=False)
    assert written.isascii()
    assert shows(told)


def test_a_saved_recording_is_read_back_as_it_was(trace: Trace, tmp_path: Path) -> None:
    trace.save(tmp_path / "hostile.trace")
    loaded = Trace.load(tmp_path / "hostile.trace")
    assert [task.name for task in loaded.tasks] == [task.name for task in trace.tasks]
    assert loaded.title == NASTY
    assert report(loaded) == report(trace)


def test_the_summary_of_a_saved_recording_is_text(trace: Trace, tmp_path: Path) -> None:
    trace.save(tmp_path / "hostile.trace")
    command = [sys.executable, "-m", "playground", "summary", str(tmp_path / "hostile.trace")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert is_harmless(done.stdout)
    assert shows(done.stdout)


WATCHED = """
import asyncio, time
NASTY = {nasty!r}

async def work():
    time.sleep(0.08)

async def main():
    work.__qualname__ = NASTY
    await asyncio.create_task(work(), name=NASTY)

asyncio.run(main())
"""


@pytest.mark.slow
def test_what_watch_says_and_writes_is_text(tmp_path: Path) -> None:
    script = tmp_path / "<img src=x onerror=alert(1)>.py"
    script.write_text(WATCHED.format(nasty=NASTY), encoding="utf-8")
    page, picture = tmp_path / "out.html", tmp_path / "out.svg"
    command = [sys.executable, "-m", "playground", "watch", "--html", str(page), "--svg", str(picture), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert is_harmless(done.stdout + done.stderr)
    told = "".join(ElementTree.fromstring(picture.read_text(encoding="utf-8")).itertext())
    assert shows(told)
    assert "event loop stood still" in told
    assert "<img" not in page.read_text(encoding="utf-8")
    assert SPEAKABLE not in page.read_text(encoding="utf-8")
