"""A query of bytes that are no UTF-8, which any client may send, made `request.url` raise UnicodeDecodeError: a 500.

Starlette 1.10 raises there too. Such bytes are percent-encoded now, as a browser would have sent them.
"""

from playground.web.requests import Request
from tests.web.exchange import http_scope


def test_a_query_that_is_no_utf_8_is_percent_encoded_in_the_url() -> None:
    assert str(Request(http_scope(query_string=b"a=\x80&b=%41 c")).url) == "http://testserver/?a=%80&b=%41 c"


def test_one_that_is_utf_8_stays_as_it_was() -> None:
    assert str(Request(http_scope(query_string="a=é".encode())).url) == "http://testserver/?a=é"
