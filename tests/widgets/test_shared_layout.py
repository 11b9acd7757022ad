"""Whose a picture's layout is, and when it is closed with it."""

import ipywidgets

from playground.widgets import Timeline
from tests.recordings import healthy_run


def test_a_layout_that_was_given_to_a_picture_later_stays_open_for_others() -> None:
    shared = ipywidgets.Layout(width="50%")
    view = Timeline(healthy_run())
    made_for_it = view.layout
    view.layout = shared
    view.close()
    assert (made_for_it.comm is None, shared.comm is None) == (True, False)
    shared.close()
