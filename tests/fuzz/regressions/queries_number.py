"""A path with 309 digits for `{x:float}` gave a handler of `App` an infinity, and the JSON of it was a 500.

A query that says `1e999` was refused already; so is such a path now, though a bare route gives what Starlette's does.
"""

import json

from playground import App
from tests.web.exchange import call


def test_a_number_too_large_is_told_as_one_in_a_query_is() -> None:
    app = App()

    @app.get("/{number:float}")
    def handler(number: float) -> dict[str, float]:
        return {"number": number}

    answer = call(app, "/" + "9" * 309)
    assert (answer.error, answer.status) == (None, 422)
    assert "The path parameter 'number' must be a number, got 'inf'." in answer.text
    assert json.loads(call(app, "/" + "9" * 308).text) == {"number": 1e308}
