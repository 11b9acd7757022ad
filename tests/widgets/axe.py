"""axe-core in a page: what it finds, told so that a failing test can be mended from its message alone."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.widgets.test_node import WIDGETS

__all__ = ["problems"]

_AXE = WIDGETS / "node_modules" / "axe-core" / "axe.min.js"

# Every rule that axe-core has switched on, and with it those of WCAG 2.2 that it leaves off unless asked: the size of
# targets. A cell's output is a part of a page, whose landmarks and headings are the host's affair.
_RUN = """
async (selector) => {
  const found = await axe.run(selector === null ? document : {include: [[selector]]}, {
    resultTypes: ['violations'],
    rules: {
      'target-size': {enabled: true},
      ...(selector === null ? {} : {region: {enabled: false}}),
    },
  });
  const told = found.violations.flatMap(({id, help, nodes}) => nodes.map(({target, html, failureSummary}) =>
    `${id} (${help}): ${target.flat().join(' ')} ${html.slice(0, 200)}: ${failureSummary}`));
  return {told, passed: found.passes?.length ?? 0};
}
"""


def problems(page: Page, within: str | None = None) -> list[str]:
    """What axe-core finds wrong in a page, or in the element of it that a selector names; empty if nothing."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Path(_AXE).read_text(encoding="utf-8"))
    found: Any = page.evaluate(_RUN, within)
    told: list[str] = found["told"]
    return told
