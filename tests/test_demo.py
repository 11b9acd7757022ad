"""The demo's text and its page tell the same story under one title."""

from pathlib import Path

from playground import demo


def test_the_page_has_the_title_of_the_text(tmp_path: Path) -> None:
    told: list[str] = []
    demo.tell(lambda words: told.append(str(words)), html=tmp_path / "page.html", width=100)
    text = "\n".join(told)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert text.startswith("Fifty requests at once: ")
    assert "<title>Fifty requests at once</title>" in page
    assert "* The event loop stood still for 20" in text
    assert max(len(line) for line in text.splitlines() if "page.html" not in line) <= 100
