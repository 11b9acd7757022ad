"""The demo's text and its page tell the same story under one title."""

from pathlib import Path

import pytest

from playground import demo
from playground.trace import Site
from playground.trace.looks import is_library


def test_the_page_has_the_title_of_the_text(tmp_path: Path) -> None:
    told: list[str] = []
    demo.tell(lambda words: told.append(str(words)), html=tmp_path / "page.html", width=100)
    text = "\n".join(told)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert text.startswith("Fifty requests at once: ")
    assert "<title>Fifty requests at once</title>" in page
    assert "* The event loop stood still for 20" in text
    assert "Make the handler a plain" in " ".join(text.split())
    assert max(len(line) for line in text.splitlines() if "page.html" not in line) <= 100


@pytest.mark.parametrize(
    "place", ["/v/lib/python3.12/site-packages/playground/demo.py", r"C:\v\Lib\site-packages\playground\demo.py"]
)
def test_the_demos_app_is_a_users_also_where_we_are_installed_as_a_library(place: str) -> None:
    """From a wheel, its mistake was called a library's, and nobody was told how to mend it."""
    assert not is_library(Site(place, 38, "report"))
    assert is_library(Site(place.replace("demo", "lab"), 38, "report"))
