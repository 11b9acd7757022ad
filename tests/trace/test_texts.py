"""Where a text is cut: once as it is recorded, and once as it is shown on a line."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playground.trace import Site
from playground.trace.texts import cut
from playground.views.wording import one_line, place

HUGE = "all of it\x00 " * 1_000_000


@given(st.text(max_size=30), st.integers(1, 40))
def test_a_text_is_cut_to_its_beginning_and_says_so(text: str, longest: int) -> None:
    kept = cut(text, longest)
    assert len(kept) <= longest
    assert kept == text if len(text) <= longest else kept == text[: longest - 1] + "…"


@given(st.text(max_size=200), st.integers(2, 20))
def test_a_line_shows_as_much_as_fits_and_an_ellipsis_where_there_is_more(text: str, limit: int) -> None:
    line = one_line(text, limit)
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    assert len(line) <= limit
    assert line.isprintable()
    if line != words:
        assert line.endswith("…")
        assert words.startswith(line[:-1].rstrip())


def test_a_line_of_ten_megabytes_costs_what_it_shows() -> None:
    class Watched(str):
        """Counts the letters that are taken from it."""

        __slots__ = ()
        taken = 0

        def __getitem__(self, which: Any) -> str:
            part = super().__getitem__(which)
            Watched.taken += len(part)
            return part

        def __iter__(self) -> Any:
            raise AssertionError("all of it was gone through")

    assert one_line(Watched(HUGE), 80).endswith("…")
    assert Watched.taken <= 1_000
    site = Site(Watched("/" + HUGE + "/end.py"), 7, "f", "")
    assert place(site).endswith("end.py, line 7")
    assert Watched.taken <= 2_000
