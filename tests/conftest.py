"""Fixtures that more than one room's tests need. It knows nothing of what is tested."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# a test must not fail because something else keeps the machine busy: hypothesis's deadline, and the time that it
# allows for drawing examples, are wall time
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

pytest_plugins = "pytester"  # here and not where it is used: it adds an option, and so must be there early

JUPYTER_FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


@pytest.fixture
def jupyter_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Jupyter and IPython with settings of their own, so that no test reads or leaves any in the user's home.

    Returns the folder that holds them, each named like its environment variable in small letters.
    """
    for name in JUPYTER_FOLDERS:
        folder = tmp_path / name.lower()
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    return tmp_path
