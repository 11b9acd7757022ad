"""axe-core finds nothing to mend: each view, light, dark and in high contrast, folded and unfolded, wide and narrow.

The rules are all that axe-core knows, those of WCAG 2.2 and its best practices; what only a person can judge, it leaves
open, and so does this test. axe-core is one of the front-end's pinned tools, put into the page by the test and never
into the bundle; where they are not installed the tests skip and say how to get them.
"""

import pytest
from playwright.sync_api import Page

from playground.trace import Trace
from tests.browser import Chromium
from tests.widgets.axe import problems
from tests.widgets.every_view import VIEWS, Shown, show
from tests.widgets.test_node import tools

pytestmark = pytest.mark.browser

WIDE, NARROW = ({"viewport": {"width": width, "height": 900}, "reduced_motion": "reduce"} for width in (1200, 520))
SCHEMES = [(scheme, contrast) for scheme in ("light", "dark") for contrast in ("no-preference", "more")]


def look_at(screen: Shown) -> list[str]:
    """What axe-core finds in each theme, with the view as it stands; each finding says in which theme."""
    found = []
    for scheme, contrast in SCHEMES:
        screen.page.emulate_media(color_scheme=scheme, contrast=contrast)  # type: ignore[arg-type]
        screen.settle()
        found += [f"{scheme}, contrast {contrast}: {problem}" for problem in problems(screen.page)]
    return found


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    tools()


@pytest.mark.parametrize("name", VIEWS)
def test_axe_finds_nothing_in_a_view(chromium: Chromium, trace: Trace, name: str) -> None:
    def scenario(page: Page) -> list[str]:
        screen = show(page, name, trace)
        found = look_at(screen)
        screen.root.locator("[tabindex='0']").first.press("ArrowRight")  # selects: details come
        screen.open_everything()
        return found + look_at(screen)

    assert chromium.run(scenario, **WIDE) == []


@pytest.mark.parametrize("name", VIEWS)
def test_axe_finds_nothing_in_a_narrow_view_under_the_pointer(chromium: Chromium, trace: Trace, name: str) -> None:
    def scenario(page: Page) -> list[str]:
        screen = show(page, name, trace)
        screen.open_everything()
        screen.root.hover()  # a tip, if there are any
        return look_at(screen)

    assert chromium.run(scenario, **NARROW) == []


def test_axe_finds_nothing_in_the_page_of_its_own(chromium: Chromium, page_url: str) -> None:
    def scenario(page: Page) -> list[str]:
        page.goto(page_url)
        screen = Shown(page, "timeline")
        screen.press("b")
        return look_at(screen)

    assert chromium.run(scenario, **WIDE) == []


def test_axe_would_find_what_is_wrong(chromium: Chromium) -> None:
    def scenario(page: Page) -> list[str]:
        page.set_content("<button></button><p style='color: #ccc'>faint</p>")
        return [problem.split(" ")[0] for problem in problems(page)]

    assert {"button-name", "color-contrast", "html-has-lang", "document-title"} <= set(chromium.run(scenario, **WIDE))
