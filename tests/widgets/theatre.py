"""A theatre on a page, as its reader sees it."""

from typing import Any

from playwright.sync_api import Page

from playground.trace import Trace
from tests.widgets.every_view import Shown, show

STILL = {"viewport": {"width": 1200, "height": 800}, "reduced_motion": "reduce"}


class Stage:
    """A theatre on a page, at its first step, by what a reader sees and does."""

    def __init__(self, page: Page, trace: Trace) -> None:
        self.shown: Shown = show(page, "theatre", trace)
        self.page = page
        self.slider = self.shown.root.get_by_role("slider")
        self.opened = self.step
        self.set_trait("step", 0)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.slider.press(key)
        self.shown.settle()

    def click(self, name: str) -> None:
        self.shown.root.get_by_role("button", name=name, exact=True).click()
        self.shown.settle()

    def space(self) -> tuple[str, str]:
        """Press the space bar; gives what it then does, and the step, before any time has passed."""
        button, place = self.slider.evaluate(
            """slider => {
                slider.dispatchEvent(new KeyboardEvent('keydown', {key: ' ', bubbles: true, composed: true}));
                const {host} = slider.getRootNode();
                return [slider.getRootNode().querySelector('.play').getAttribute('aria-label'), host.dataset.step];
            }"""
        )
        return button, place

    @property
    def step(self) -> int:
        return int(self.shown.host.get_attribute("data-step") or -1)

    @property
    def sentence(self) -> str:
        return self.shown.root.locator(".said").inner_text()

    @property
    def said(self) -> str:
        return self.page.get_by_test_id("theatre-live").inner_text()

    @property
    def seen(self) -> tuple[str, str, str]:
        """All that is on the stage, the sentence, and the moment."""
        stage, said, header = (self.shown.root.locator(part) for part in (".stage", ".said", "header .summary"))
        return stage.inner_html(), said.inner_html(), header.inner_text()

    def cards(self, column: str) -> list[str]:
        return self.shown.root.get_by_role("group", name=column, exact=True).get_by_role("listitem").all_inner_texts()

    @property
    def choices(self) -> list[str]:
        return self.shown.root.get_by_role("group", name="What runs next?").get_by_role("button").all_inner_texts()

    def trait(self, name: str) -> Any:
        return self.page.evaluate("name => model.get(name)", name)

    def set_trait(self, name: str, value: Any) -> None:
        self.page.evaluate("([name, value]) => model.set(name, value)", [name, value])
        self.shown.settle()
