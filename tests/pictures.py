"""The pictures at the top of README: `python -m tests.pictures` draws them anew from what README's first code does.

That code runs here as it stands there, in virtual time, so that every machine draws the same to the byte; and
tests/test_readme.py holds the files to it. GitHub shows an SVG file as an image, which cannot know the page's theme:
so there is one picture for each, and the dark one is the light one with its colours exchanged.
"""

import contextlib
import re
import runpy
import tempfile
from pathlib import Path
from typing import Final

from playground import Run

__all__ = ["FOLDER", "code_blocks", "drawn", "first_run"]

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "notebooks" / "pictures"

_GROUND: Final = "#FFFFFF"
_DARK_GROUND: Final = "#111111"
_DARK: Final = {
    # the states, as widgets/src/theme.js has them in dark
    **{"#0447A3": "#6196F2", "#5895DE": "#3A5FAA", "#6E7582": "#C5CBD9", "#DC5E02": "#F79840", "#A47B23": "#E9B916"},
    **{"#52626C": "#526471", "#B86215": "#E07122", "#A40E26": "#DA3141"},
    # words: strong, on a bar's row, weak, code; and the arrows, which are as the weak ones
    **{"#1B2430": "#E8ECF1", "#303A48": "#E8ECF1", "#5A6675": "#A3ADB9", "#12386E": "#8AB8FF", "#5B6675": "#A3ADB9"},
    # lines, what lies under them, and what is hatched over a bar
    **{"#DDE3EA": "#2C3138", "#E9EDF1": "#1F2328", "#EFF2F6": "#1F2328", "#F5F7F9": "#1A1D21"},
    **{"#E58A97": "#8E1F2A", "#EAD9B4": "#4A3C0C"},
    "#000000": "#000000",  # on a worker's orange, black reads best in both
}


def code_blocks(file: Path, language: str) -> list[str]:
    """What stands between the fences of a Markdown file, in order."""
    return re.findall(rf"^```{language}\n(.+?)^```$", file.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def first_run() -> Run:
    """What README's first code makes, as a file `app.py`: so the picture names it and the line."""
    code = code_blocks(ROOT / "README.md", "python")[0]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("app.py").write_text(code, encoding="utf-8")
        names = runpy.run_path("app.py")
        with names["lab"]:
            run: Run = names["run"]
            assert run.trace.clock == "virtual"
    return run


def drawn(run: Run) -> dict[str, str]:
    """The pictures of a run, by the names of their files."""
    light = run.to_svg()
    return {"timeline-light.svg": light, "timeline-dark.svg": _dark(light)}


def _dark(light: str) -> str:
    """A picture in dark. White stays white where it is written with, and nowhere else; every other colour is known."""
    unknown = set(re.findall(r"#[0-9A-F]{6}\b", light)) - {*_DARK, _GROUND}
    if unknown:
        raise ValueError(f"expected colours that are known in dark, got {sorted(unknown)}: add them to _DARK")
    ground = re.sub(rf'(<(?!text)[^>]*"){_GROUND}"', rf'\g<1>{_DARK_GROUND}"', light)
    return re.sub(r"#[0-9A-F]{6}\b", lambda found: _DARK.get(found[0], found[0]), ground)


if __name__ == "__main__":
    for name, picture in drawn(first_run()).items():
        FOLDER.joinpath(name).write_text(picture, encoding="utf-8")
        print(f"{FOLDER.relative_to(ROOT) / name}: {len(picture):,} bytes")
