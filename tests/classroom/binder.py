"""Binder's steps without Docker: `python tests/classroom/binder.py` takes them in a clean environment, and looks.

What Binder does with a repository: its files, an environment with `binder/requirements.txt`, `binder/postBuild` in it,
and a server on what the link in the README names. It takes a few minutes and a package index, so it is no test; what
can be held without those is in `tests/test_packaging.py`. The Python is that which runs this: let it be the one in
`binder/runtime.txt`.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
PORT = 8899
TOKEN = "looking"


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        home, environment = Path(scratch, "home"), Path(scratch, "environment")
        run("git", "clone", "--quiet", str(ROOT), str(home))  # what is committed, as Binder gets it
        run(sys.executable, "-m", "venv", str(environment))
        os.environ["PATH"] = os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])
        os.environ["HOME"] = str(home)
        run("pip", "install", "--quiet", "-r", "binder/requirements.txt", folder=home)
        run("binder/postBuild", folder=home)
        look(home, landing())


def landing() -> str:
    """What the link in the README opens."""
    (path,) = re.findall(r"mybinder\.org/v2/\S+\?urlpath=([^\s`)]+)", (ROOT / "README.md").read_text("utf-8"))
    return str(path)


def look(home: Path, path: str) -> None:
    """Start a server as Binder does, and ask it for the page and for the notebook on it."""
    notebook = path.removeprefix("lab/tree/")
    command = ["jupyter", "lab", "--no-browser", f"--port={PORT}", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    with subprocess.Popen(command, cwd=home) as server:
        try:
            for place in (path, f"api/contents/{notebook}?content=0"):
                print(place, *answer(f"http://127.0.0.1:{PORT}/{place}"))
        finally:
            server.terminate()


def answer(address: str) -> tuple[int, int]:
    """Status and length of the answer, as soon as somebody listens there."""
    request = urllib.request.Request(address, headers={"Authorization": f"token {TOKEN}"})
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, len(response.read())
        except urllib.error.HTTPError:
            raise
        except OSError:  # nobody listens yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def run(*command: str, folder: Path = ROOT) -> None:
    print("$", *command)
    subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    main()
