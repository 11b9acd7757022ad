"""What a terminal is shown as it is, though Python does not call it printable."""

import httpx
import pytest

from playground.notebook import response_text
from playground.terminal import harmless


@pytest.mark.parametrize(
    "text",
    ["1\u202f000\u00a0€", "全角\u3000空白", "👩\u200d👧", "می\u200cخواهم", "Wort\u00adteil"],
    ids=["no-break spaces", "ideographic space", "joined emoji", "letters apart", "soft hyphen"],
)
def test_blanks_and_joiners_stay(text: str) -> None:
    assert harmless(text) == text


def test_lines_that_end_as_those_of_http_do_are_lines_and_a_return_of_its_own_is_not_obeyed() -> None:
    response = httpx.Response(200, headers={"content-type": "text/plain"}, content="a\r\nb\rc")
    assert response_text(response).endswith("\n\na\nb?c")
