"""Random programs, recorded and witnessed at once, and what the two accounts are held to."""

import pytest

pytest.register_assert_rewrite("tests.truth.compare")
