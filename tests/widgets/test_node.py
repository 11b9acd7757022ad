"""The pure parts of the front-end, tested by bare node on the bundle that ships; and that bundle, held to its sources.

The first needs nothing that pip has not installed. The second needs what package-lock.json pins; where that is not
installed it skips, and in CI it is installed for the purpose.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
from array import array
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from playground.trace.columns import TYPECODES, pack
from playground.views.lanes import lanes
from playground.views.packet import packet
from tests.browser import skip_or_fail
from tests.recordings import blocked_run
from tests.widgets.plays import leave_plays

HERE = Path(__file__).parent
WIDGETS = HERE.parents[1] / "playground" / "widgets"
BUNDLE = WIDGETS / "static" / "views.js"


def node() -> str:
    """The node that Playwright brings along: of one version everywhere, and nobody has to install it."""
    executable, _ = compute_driver_executable()
    return str(executable)


def npm() -> str:
    path = shutil.which("npm")
    if path is None:
        skip_or_fail("there is no npm: apt-get install npm")
    assert path is not None
    return path


def tools() -> None:
    """What the front-end is checked and bundled with; skips where it is not installed, installs it in CI."""
    if (WIDGETS / "node_modules").is_dir():
        return
    if os.environ.get("CI") != "true":
        pytest.skip("the front-end's tools are not installed: run `npm ci` in playground/widgets")
    run([npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"])


def run(arguments: list[str], **environment: str) -> None:
    surroundings = {**os.environ, **environment}
    done = subprocess.run(
        arguments, cwd=WIDGETS, env=surroundings, text=True, capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def leave_packets(folder: Path) -> None:
    """A packet with a column of each type and one of the timeline, and what node should find in them."""
    extremes = {"u1": (0, 255), "u2": (0, 65535), "u4": (0, 2**32 - 1), "i4": (-(2**31), 2**31 - 1)}
    extremes |= {"i8": (-(2**53), 2**53)}
    columns = {kind: array(code, [*extremes.get(kind, (-0.5, 1.25)), *range(100)]) for kind, code in TYPECODES.items()}
    columns["none"] = array("I")
    header = {"view": "test", "words": "naïve ✓ </script>"}
    (folder / "columns.bin").write_bytes(pack(header, columns))
    trace = blocked_run()
    (folder / "timeline.bin").write_bytes(packet(trace))
    laid = lanes(trace)
    leave_plays(folder)
    expected = {
        "header": header,
        # as JavaScript writes them: a float that is whole has no point
        "columns": {name: [re.sub(r"\.0$", "", str(value)) for value in column] for name, column in columns.items()},
        "title": trace.title,
        "requests": len(trace.requests),
        "steps": len(trace.steps),
        "max_overlap": trace.max_overlap,
        "rows": [[list(row.starts), list(row.ends), list(row.requests)] for row in laid.rows],
        "facts": laid.requests,
    }
    (folder / "columns.json").write_text(json.dumps(expected), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("suite", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_the_pure_parts_hold(suite: str, tmp_path: Path) -> None:
    leave_packets(tmp_path)
    run([node(), "--test", str(HERE / suite)], PLAYGROUND_TEST_PACKETS=str(tmp_path))


@pytest.mark.slow
def test_the_committed_bundle_is_what_its_sources_build_to() -> None:
    tools()
    run([node(), "build.mjs", "--check"])


def test_the_sources_pass_the_strict_type_check() -> None:
    tools()
    run([node(), "node_modules/typescript/bin/tsc", "--project", "jsconfig.json"])


def test_every_tool_is_pinned_to_one_version() -> None:
    wanted = json.loads((WIDGETS / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    lock = json.loads((WIDGETS / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_the_bundle_of_all_views_is_45_kilobytes_at_most() -> None:
    assert len(gzip.compress(BUNDLE.read_bytes(), 9)) <= 45_000


def test_the_bundle_can_stand_in_a_page() -> None:
    bundle = BUNDLE.read_text(encoding="ascii")
    assert not re.search(r"</script|<!--", bundle, re.IGNORECASE)
