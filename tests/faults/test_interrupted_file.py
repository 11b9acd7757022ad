"""A file that is being written when an interrupt comes, at whatever line: the old or the new one is there, alone."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import playground.files


class _InterruptAt:
    """Raises KeyboardInterrupt at one of the lines that `playground.files` comes to."""

    def __init__(self, line: int) -> None:
        self.left = line

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != playground.files.__file__:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self


def interrupted_at(line: int, path: Path) -> bool:
    """Write with an interrupt at one line; whether it came to that line."""
    traced = sys.gettrace()
    try:
        sys.settrace(_InterruptAt(line))
        playground.files.write(path, [b"n", b"ew"])
        return False
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(traced)


# who is interrupted just after opening a file lets go of it by its reference count, of which Python warns
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("there", [True, False])
def test_an_interrupt_at_any_line_leaves_the_old_file_or_the_new_one_and_no_other(tmp_path: Path, there: bool) -> None:
    for line in range(1, 200):
        folder = tmp_path / str(line)
        folder.mkdir()
        path = folder / "file"
        if there:
            path.write_bytes(b"old")
        came = interrupted_at(line, path)
        assert [each.name for each in folder.iterdir()] in ([["file"]] if there else [["file"], []])
        if path.exists():
            assert path.read_bytes() in ({b"old", b"new"} if there else {b"new"})
        if not came:
            assert line > 20
            assert path.read_bytes() == b"new"
            return
    raise AssertionError("it never came to its end")
