"""The cell magic `%%app`: a cell that declares routes on a fresh `app`, and leaves a `lab` of it.

It decides what such a cell starts from and what it leaves behind; how a cell is compiled is for `magics`. A cell that
fails leaves the app and the lab of before.
"""

import ast
import weakref
from typing import Any, Final

from playground.app import App
from playground.errors import WatchError
from playground.lab import Lab
from playground.magics import compiled_cell, is_awaited

__all__ = ["run_app_cell"]

_SETTINGS: Final = ("clock", "threads", "seed", "schedule", "charge_cpu")
_made: Final[weakref.WeakSet[Lab]] = weakref.WeakSet()
"""Labs that such cells have made: the next closes them, and no lab that somebody has made by hand."""


class AppCell:
    """What a `%%app` cell shows: the routes, and how the lab was made."""

    def __init__(self, app: App, settings: dict[str, Any]) -> None:
        self._lines = [_route(route) for route in app.routes]
        self._settings = ", ".join(f"{name}={value!r}" for name, value in settings.items())

    def __repr__(self) -> str:
        lab = f"lab = Lab(app{', ' + self._settings if self._settings else ''})"
        return "\n".join([*(self._lines or ["app has no routes yet: declare one with @app.get(...)"]), lab])


def run_app_cell(shell: Any, line: str, source: str, number: int) -> AppCell:
    """Run a cell's source with a fresh `app`, and leave that and its `lab`.

    Args:
        shell: IPython's.
        line: settings of the lab, such as `clock=virtual threads=4`.
        source: the cell without its first line.
        number: the cell's number.

    Raises:
        WatchError: a setting is none, or the cell has a top-level `await`.
        LabError, LifespanError: the lab could not be made.
        whatever the cell raises.
    """
    settings = _settings(line)
    code = compiled_cell(shell, source, 2, number)
    if is_awaited(code):
        raise WatchError("expected routes in a %%app cell, got a top-level await: put it into a cell of its own")
    names = shell.user_ns
    before = names.get("app")
    names["app"] = app = App()
    try:
        eval(code, shell.user_global_ns, names)
        lab = Lab(app, **settings)
    except BaseException:
        names["app"] = before
        if before is None:
            del names["app"]
        raise
    for old in list(_made):
        old.close()
        _made.discard(old)
    _made.add(lab)
    names["lab"] = lab
    return AppCell(app, settings)


def _settings(line: str) -> dict[str, Any]:
    settings = {}
    for word in line.split():
        name, equals, text = word.partition("=")
        if name not in _SETTINGS or not equals:
            raise WatchError(
                f"expected settings of a lab, such as clock=virtual threads=4, got {word!r}: there are "
                f"{', '.join(_SETTINGS)}"
            )
        try:
            settings[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            settings[name] = text  # a word
    return settings


def _route(route: Any) -> str:
    methods = ", ".join(sorted(getattr(route, "methods", None) or ["WEBSOCKET"]))
    return f"{methods} {getattr(route, 'path', '')}"
