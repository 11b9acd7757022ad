"""axe-core finds nothing to mend: each view, light, dark and in high contrast, folded and unfolded, wide and narrow.

The rules are all that axe-core knows, those of WCAG 2.2 and its best practices; what only a person can judge, it leaves
open, and so does this test. axe-core is one of the front-end's pinned tools, put into the page by the test and never
into the bundle; where they are not installed the tests skip and say how to get them.
"""

import pytest
from playwright.sync_api import Page, expect

from playground.trace import Trace
from tests.browser import Chromium
from tests.widgets.axe import problems
from tests.widgets.every_view import DRAWN, TABS, Shown, show
from tests.widgets.test_node import tools

pytestmark = pytest.mark.browser

SIZE = {"viewport": {"width": 1200, "height": 900}, "reduced_motion": "reduce"}
LIGHT, DARK = ("light", "no-preference"), ("dark", "no-preference")
THEMES = (LIGHT, DARK, ("light", "more"), ("dark", "more"))


def look_at(screen: Shown, *themes: tuple[str, str]) -> list[str]:
    """What axe-core finds in each theme, with the view as it stands; each finding says in which theme."""
    found = []
    for scheme, contrast in themes:
        screen.page.emulate_media(color_scheme=scheme, contrast=contrast)  # type: ignore[arg-type]
        screen.settle()
        found += [f"{scheme}, contrast {contrast}: {problem}" for problem in problems(screen.page)]
    return found


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    tools()


@pytest.mark.parametrize("name", DRAWN)
def test_axe_finds_nothing_in_a_view(chromium: Chromium, trace: Trace, name: str) -> None:
    def scenario(page: Page) -> list[str]:
        screen = show(page, name, trace)
        found = look_at(screen, LIGHT)
        screen.root.locator("[tabindex='0']").first.press("ArrowRight")  # selects: details come
        screen.open_everything()
        found += look_at(screen, *THEMES)
        page.set_viewport_size({"width": 520, "height": 900})
        screen.root.hover()  # a tip, if there are any
        return found + look_at(screen, LIGHT, DARK)

    assert chromium.run(scenario, **SIZE) == []


def test_axe_finds_nothing_in_the_page_of_its_own(chromium: Chromium, page_url: str) -> None:
    def scenario(page: Page) -> list[str]:
        page.goto(page_url)
        found = []
        for tab, name in TABS.items():
            screen = Shown(page, name)
            page.get_by_role("tab", name=tab).click()
            expect(screen.root).to_be_visible()
            found += look_at(screen, LIGHT, DARK)
        return found

    assert chromium.run(scenario, **SIZE) == []


def test_axe_would_find_what_is_wrong(chromium: Chromium) -> None:
    def scenario(page: Page) -> list[str]:
        page.set_content("<button></button><p style='color: #ccc'>faint</p>")
        return [problem.split(" ")[0] for problem in problems(page)]

    assert {"button-name", "color-contrast", "html-has-lang", "document-title"} <= set(chromium.run(scenario, **SIZE))
