"""The flavours of an experiment's process: Python as it is, or with its blocking parts replaced by gevent or eventlet.

It decides where such a process imports from, and what is replaced in it. It refuses to know how it is made.
"""

import importlib.util
import os
import sys
import warnings
from pathlib import Path
from typing import Final, Literal

from playground.errors import ModelError

__all__ = ["WARMING", "Flavour", "environment", "import_path", "patch", "require"]

Flavour = Literal["plain", "gevent", "eventlet"]

WARMING: Final = "PLAYGROUND_WARMING"
"""An environment variable of a zygote that still imports what experiments need. What it imports may be a script of the
user's that has a library's name, and makes an experiment, and so a zygote, and so on without end: it is refused one."""

_SETTINGS: Final = {"EVENTLET_NO_GREENDNS": "yes"}
"""eventlet's own resolver replaces dnspython's sockets, and newer ones of these do not bear it."""


def require(flavour: Flavour) -> None:
    """See that the library is there, without importing it.

    Raises:
        ModelError: it is not.
    """
    if flavour != "plain" and importlib.util.find_spec(flavour) is None:
        raise ModelError(
            f"expected {flavour} to be installed, got none: run pip install 'playground[models]', or leave the model "
            "out"
        )


def environment() -> dict[str, str]:
    """The environment that such a process is started with."""
    return os.environ | _SETTINGS


def import_path() -> list[str]:
    """Where it imports libraries from at first: from where they are installed, and not from the notebook's folder.

    A student's file may have the name of a module that is needed here.
    """
    ours = str(Path(__file__).parents[2])
    here = os.getcwd()
    libraries = [entry for entry in sys.path if entry and (entry == ours or os.path.abspath(entry) != here)]
    installed = sorted(libraries, key=lambda entry: not entry.startswith((sys.prefix, sys.base_prefix)))
    return installed if ours in installed else [ours, *installed]


def patch(flavour: Flavour) -> None:
    """Replace what the library replaces, before anything else is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eventlet's that it is deprecated: the lesson says so
        if flavour == "gevent":
            from gevent import monkey

            monkey.patch_all()
        elif flavour == "eventlet":
            import eventlet

            eventlet.monkey_patch()
