"""A cookie whose last attribute is a blank made a header that ends in one, which a server by h11 answers with a 500.

Starlette strips the header, and so do we now.
"""

from playground.web.responses import Response


def test_the_header_of_a_cookie_does_not_end_in_a_blank() -> None:
    response = Response()
    response.set_cookie("a", "b", path=" ", samesite=None)
    assert response.headers["set-cookie"] == "a=b; Path="
