"""What holds of every view, whatever it shows: themes, widths, keys, wheels, stillness; one row of a table for each."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from playground.trace import Trace
from tests.browser import Chromium
from tests.widgets.every_view import VIEWS, Shown, show

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


@pytest.fixture(params=VIEWS)
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


def test_it_follows_the_readers_system_while_it_is_shown(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[tuple[str, str]]:
        seen = []
        for scheme, contrast in (("light", None), ("dark", None), ("dark", "more"), ("light", "more"), ("light", None)):
            screen.page.emulate_media(color_scheme=scheme, contrast=contrast or "no-preference")  # type: ignore[arg-type]
            seen.append(colours(screen))
        return seen

    assert see(scenario) == [LIGHT, DARK, HIGH_DARK, HIGH_LIGHT, LIGHT]


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


def test_it_follows_the_theme_of_jupyterlab_vs_code_and_marimo(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[tuple[str, str]]:
        seen = []
        for marks, _ in HOSTS:
            screen.page.evaluate(
                """marks => {
                    const {dataset} = document.body;
                    for (const mark of Object.keys(dataset)) delete dataset[mark];
                    const {class: classes = '', ...rest} = marks;
                    document.body.className = classes;
                    Object.assign(dataset, rest);
                }""",
                marks,
            )
            seen.append(colours(screen))
        return seen

    assert see(scenario, color_scheme="dark") == [wanted for _, wanted in HOSTS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_takes_the_colours_that_a_system_forces_on_pages(see: Callable[..., Any], scheme: str) -> None:
    def scenario(screen: Shown) -> list[str]:
        canvas = "() => { const probe = document.createElement('i'); document.body.append(probe); "
        canvas += "probe.style.backgroundColor = 'Canvas'; return getComputedStyle(probe).backgroundColor; }"
        seen = [colours(screen)[0], str(screen.page.evaluate(canvas))]
        for painted in screen.root.locator("canvas").all():
            corner = "canvas => [...canvas.getContext('2d').getImageData(0, canvas.height - 1, 1, 1).data.slice(0, 3)]"
            seen.append(f"rgb({', '.join(map(str, painted.evaluate(corner)))})")
        return seen

    seen = see(scenario, forced_colors="active", color_scheme=scheme)
    assert set(seen) == {seen[1]}


@pytest.mark.parametrize("width", [520, 1200])
def test_nothing_sticks_out_at_any_width(see: Callable[..., Any], width: int) -> None:
    def scenario(screen: Shown) -> list[Any]:
        screen.open_everything()
        return [screen.page.evaluate("document.documentElement.scrollWidth"), screen.root.evaluate(STICKING_OUT)]

    across, sticking_out = see(scenario, viewport={"width": width, "height": 800})
    assert sticking_out == []
    assert across <= width


def test_a_plain_wheel_is_the_pages_where_nothing_is_left_to_scroll(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[float]:
        screen.page.evaluate("document.body.style.paddingBottom = '2000px'")
        scrolled = []
        box = screen.root.bounding_box()
        assert box is not None
        for share in (0.1, 0.5, 0.9):  # over the header, the picture, what is under it
            screen.page.evaluate("scrollTo(0, 0)")
            y = min(box["y"] + share * box["height"], 780)
            screen.page.mouse.move(box["x"] + box["width"] / 2, y)
            for _ in range(4):  # what scrolls inside comes first
                screen.page.mouse.wheel(0, 1500)
                screen.page.wait_for_timeout(40)
            scrolled.append(screen.page.evaluate("scrollY"))
        return scrolled

    assert min(see(scenario, reduced_motion="reduce")) > 100


def test_its_keys_do_not_reach_the_page_and_others_do(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[Any]:
        screen.page.evaluate("window.heard = []; addEventListener('keydown', ({key}) => heard.push(key))")
        stop = screen.root.locator("[tabindex='0']").first
        stop.focus()
        for key in ("ArrowRight", "ArrowLeft", "Home", "End", "F9"):
            stop.page.keyboard.press(key)
        return [screen.page.evaluate("heard"), screen.host.get_attribute("data-lm-suppress-shortcuts")]

    assert see(scenario) == [["F9"], "true"]


def test_beside_its_controls_it_is_one_tab_stop(see: Callable[..., Any]) -> None:
    stops = see(lambda screen: screen.root.locator("[tabindex='0']").count())
    assert stops == 1


def test_tab_goes_through_it_and_out_again(see: Callable[..., Any]) -> None:
    def scenario(screen: Shown) -> list[str]:
        screen.page.evaluate("document.body.append(document.createElement('button'))")
        passed = []
        for _ in range(60):
            screen.page.keyboard.press("Tab")
            inside = "document.activeElement.shadowRoot?.activeElement?.tagName ?? document.activeElement.tagName"
            passed.append(str(screen.page.evaluate(inside)))
            if screen.page.evaluate("document.activeElement.parentElement === document.body"):
                return passed
        return passed

    passed = see(scenario)
    assert passed[-1] == "BUTTON"
    assert len(passed) < 40


def test_it_speaks_politely_and_of_one_thing_at_a_time(see: Callable[..., Any], name: str) -> None:
    def scenario(screen: Shown) -> list[Any]:
        live = screen.root.locator("[aria-live]")
        screen.root.locator("[tabindex='0']").first.press("ArrowRight")
        screen.settle()
        return [live.count(), live.get_attribute("aria-live"), screen.page.get_by_test_id(f"{name}-live").inner_text()]

    count, how, said = see(scenario)
    assert (count, how) == (1, "polite")
    assert said != ""


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
