"""What holds of every view, whatever it shows: themes, widths, keys, wheels, stillness; one row of a table for each."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from playground.trace import Trace
from tests.browser import Chromium
from tests.widgets.every_view import DRAWN, Shown, show

pytestmark = pytest.mark.browser

SIZE = {"viewport": {"width": 1200, "height": 800}}

# What stands out of a view's right edge, though nothing around it scrolls or cuts it off.
STICKING_OUT = """
(root) => {
  const edge = root.getBoundingClientRect().right + 0.5;
  const cut = (element) => {
    for (let up = element.parentElement; up !== null && up !== root; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== 'visible') return true;
    }
    return getComputedStyle(element).position === 'absolute' && getComputedStyle(element).clipPath !== 'none';
  };
  const sticksOut = (element) => element.getClientRects().length && element.getBoundingClientRect().right > edge;
  return [...root.querySelectorAll('*')]
    .filter((element) => sticksOut(element) && !cut(element))
    .map((element) => element.outerHTML.slice(0, 120));
}
"""


def sticking_out(screen: Shown) -> list[str]:
    told: list[str] = screen.root.evaluate(STICKING_OUT)
    return told


@pytest.fixture(params=DRAWN)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def see(chromium: Chromium, trace: Trace, name: str) -> Callable[..., Any]:
    """Runs a scenario with the view in a page of its own, and with Playwright's options of a context."""

    def run(scenario: Callable[[Shown], Any], **options: Any) -> Any:
        return chromium.run(lambda page: scenario(show(page, name, trace)), **{**SIZE, **options})

    return run


def colours(screen: Shown) -> tuple[str, str]:
    """The view's background as the browser resolves it, and the colour of its lines, which tells high contrast."""
    screen.settle()
    background, line = screen.root.evaluate(
        "root => [getComputedStyle(root).backgroundColor, root.style.getPropertyValue('--line')]"
    )
    return str(background), str(line)


LIGHT, DARK = ("rgb(255, 255, 255)", "#e3e6ea"), ("rgb(17, 17, 17)", "#2c3138")
HIGH_LIGHT, HIGH_DARK = ("rgb(255, 255, 255)", "#000000"), ("rgb(0, 0, 0)", "#ffffff")


# As JupyterLab 4, VS Code and marimo mark the body of a page; what a system prefers counts for nothing there.
HOSTS = [
    ({"jpThemeLight": "false", "jpThemeName": "JupyterLab Dark"}, DARK),
    ({"jpThemeLight": "false", "jpThemeName": "JupyterLab Dark High Contrast"}, HIGH_DARK),
    ({"jpThemeLight": "true", "jpThemeName": "JupyterLab Light"}, LIGHT),
    ({"jpThemeLight": "true", "jpThemeName": "JupyterLab Light High Contrast"}, HIGH_LIGHT),
    ({"vscodeThemeKind": "vscode-dark"}, DARK),
    ({"vscodeThemeKind": "vscode-light"}, LIGHT),
    ({"vscodeThemeKind": "vscode-high-contrast"}, HIGH_DARK),
    ({"vscodeThemeKind": "vscode-high-contrast-light"}, HIGH_LIGHT),
    ({"class": "light light-theme"}, LIGHT),
    ({"class": "dark dark-theme"}, DARK),
]

MARK = """
(marks) => {
  const {dataset} = document.body;
  for (const mark of Object.keys(dataset)) delete dataset[mark];
  const {class: classes = '', ...rest} = marks;
  document.body.className = classes;
  Object.assign(dataset, rest);
}
"""


def test_it_follows_the_readers_system_and_the_page_around_it_while_it_is_shown(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[list[Any], list[Any]]:
        by_system, by_host = [], []
        for scheme, contrast in (("light", None), ("dark", None), ("dark", "more"), ("light", "more"), ("dark", None)):
            screen.page.emulate_media(color_scheme=scheme, contrast=contrast or "no-preference")  # type: ignore[arg-type]
            by_system.append(colours(screen))
        for marks, _ in HOSTS:  # the system goes on to prefer a dark page
            screen.page.evaluate(MARK, marks)
            by_host.append(colours(screen))
        return by_system, by_host

    by_system, by_host = see(scenario)
    assert by_system == [LIGHT, DARK, HIGH_DARK, HIGH_LIGHT, DARK]
    assert by_host == [wanted for _, wanted in HOSTS]


def test_it_takes_the_colours_that_a_system_forces_on_pages(see: Callable[..., Any]) -> None:
    probe = """() => {
        const probe = document.createElement('i');
        document.body.append(probe);
        probe.style.backgroundColor = 'Canvas';
        return getComputedStyle(probe).backgroundColor;
    }"""
    corner = "canvas => canvas.getContext('2d').getImageData(0, canvas.height - 1, 1, 1).data.slice(0, 3).join(', ')"

    def scenario(screen: Shown) -> list[tuple[str, set[str]]]:
        seen = []
        for scheme in ("light", "dark"):
            screen.page.emulate_media(forced_colors="active", color_scheme=scheme)
            ground, _ = colours(screen)
            painted = {f"rgb({canvas.evaluate(corner)})" for canvas in screen.root.locator("canvas").all()}
            seen.append((str(screen.page.evaluate(probe)), {ground, *painted}))
        return seen

    light, dark = see(scenario)
    assert light == ("rgb(255, 255, 255)", {"rgb(255, 255, 255)"})
    assert dark == ("rgb(0, 0, 0)", {"rgb(0, 0, 0)"})


def test_nothing_sticks_out_at_any_width(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[Any]:
        screen.open_everything()
        seen = []
        for width in (1200, 520, 800):
            screen.page.set_viewport_size({"width": width, "height": 800})
            screen.settle()
            seen.append([screen.page.evaluate("document.documentElement.scrollWidth"), *sticking_out(screen)])
        return seen

    assert see(scenario) == [[1200], [520], [800]]


def test_a_plain_wheel_is_the_pages_where_nothing_is_left_to_scroll(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[float]:
        screen.page.evaluate("document.body.style.paddingBottom = '2000px'")
        scrolled = []
        box = screen.root.bounding_box()
        assert box is not None
        for share in (0.1, 0.5):  # over the header and the picture
            screen.page.evaluate("scrollTo(0, 0)")
            y = min(box["y"] + share * box["height"], 780)
            screen.page.mouse.move(box["x"] + box["width"] / 2, y)
            for _ in range(3):  # what scrolls inside comes first
                screen.page.mouse.wheel(0, 2500)
                screen.page.wait_for_timeout(40)
            scrolled.append(screen.page.evaluate("scrollY"))
        return scrolled

    assert min(see(scenario, reduced_motion="reduce")) > 100


def test_its_keys_are_heard_spoken_of_and_kept_from_the_page(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[Any]:
        screen.page.evaluate("window.heard = []; addEventListener('keydown', ({key}) => heard.push(key))")
        screen.root.locator("[tabindex='0']").first.focus()
        live = screen.root.locator("[aria-live]")
        told = []
        for key in ("ArrowRight", "End", "Home", "ArrowLeft", "F9", "ArrowDown", "ArrowDown"):
            screen.page.keyboard.press(key)
            screen.settle()
            told.append(screen.page.get_by_test_id(f"{screen.name}-live").inner_text())
        heard = screen.page.evaluate("heard.slice(0, heard.indexOf('F9') + 1)")  # a slider hears Down by itself
        return [heard, live.count(), live.get_attribute("aria-live"), told]

    heard, count, how, told = see(scenario)
    assert heard == ["F9"]
    assert (count, how) == (1, "polite")  # one voice, that lets others finish
    assert "" not in told
    assert len(set(told)) >= 3


def test_it_is_one_tab_stop_beside_its_controls_and_tab_leaves_it(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> tuple[int, int, int]:
        controls = screen.root.locator("button:enabled, input, select, a[href], summary")
        many = sum(
            1 for control in controls.all() if control.is_visible() and control.get_attribute("tabindex") != "-1"
        )
        screen.page.evaluate("document.body.append(document.createElement('button'))")
        pressed = 0
        while not screen.page.evaluate("document.activeElement.parentElement === document.body") and pressed < 80:
            screen.page.keyboard.press("Tab")
            pressed += 1
        return screen.root.locator("[tabindex='0']").count(), many, pressed

    stops, controls, pressed = see(scenario)
    assert stops == 1
    assert pressed <= controls + 4  # a box that scrolls is a stop of the browser's own making


def test_nothing_moves_for_a_reader_who_prefers_that(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[str]:
        moved = []
        for button in screen.root.get_by_role("button").all():
            if button.is_visible() and button.is_enabled():
                button.click()
                moved += screen.host.evaluate(
                    "host => host.shadowRoot.getAnimations().map(({effect}) => effect.target.outerHTML.slice(0, 120))"
                )
        return moved

    assert see(scenario, reduced_motion="reduce") == []


def test_it_asks_nothing_of_any_network_and_logs_nothing(chromium: Chromium, trace: Trace, name: str) -> None:
    asked: list[str] = []

    def scenario(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))
        page.on("pageerror", lambda error: asked.append(str(error)))
        show(page, name, trace).open_everything()

    chromium.run(scenario, **SIZE)
    assert [url for url in asked if not url.startswith("blob:")] == []
