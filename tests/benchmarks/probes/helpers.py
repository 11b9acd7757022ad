"""What several probes use: a script for commands that run one, two sleeps on a loop, and what a package needs."""

import asyncio
import importlib.metadata
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from packaging.specifiers import SpecifierSet

__all__ = ["HOUR_S", "said_of_a_script", "slept_s", "supports_python_311", "thread_slept_s"]

SCRIPT: Final = "import asyncio\nasyncio.run(asyncio.sleep(0.001))\n"


def said_of_a_script(module: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        (path := Path(folder) / "script.py").write_text(SCRIPT)
        command = [sys.executable, "-m", *module, str(path)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout + done.stderr + " ".join(sorted(each.name for each in Path(folder).iterdir()))


HOUR_S: Final = 3600.0


async def slept_s(seconds: float) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.sleep(seconds)
    return loop.time() - began_s


async def thread_slept_s(seconds: float) -> float:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.to_thread(time.sleep, seconds)
    return loop.time() - began_s


def supports_python_311(package: str) -> bool:
    """Whether a package says that it runs on Python 3.11."""
    return SpecifierSet(importlib.metadata.metadata(package)["Requires-Python"]).contains("3.11.0")
