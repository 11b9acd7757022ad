"""The two toolkits, for what holds of both."""

import pytest
import starlette.applications
import starlette.endpoints
import starlette.middleware
import starlette.middleware.base
import starlette.responses
import starlette.routing
import starlette.staticfiles

import playground.web.applications
import playground.web.endpoints
import playground.web.middleware
import playground.web.middleware.base
import playground.web.responses
import playground.web.routing
import playground.web.staticfiles
from tests.trace.layers import Kit, kit_of


@pytest.fixture(params=[starlette, playground.web], ids=["starlette", "playground.web"])
def kit(request: pytest.FixtureRequest) -> Kit:
    return kit_of(request.param)
