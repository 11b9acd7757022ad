"""The table of peers: README says what the benchmark says, and what the benchmark says of whom is here is so."""

from pathlib import Path

import pytest

from tests.benchmarks import peers
from tests.benchmarks.__main__ import main as benchmarks
from tests.benchmarks.probes.features import FEATURES, PEERS, matrix

README = Path(__file__).parent.parent / "README.md"


def test_readme_has_the_table_of_features_as_it_is() -> None:
    assert matrix() in README.read_text(encoding="utf-8")


def test_readme_has_the_costs_of_the_same_peers() -> None:
    section = README.read_text(encoding="utf-8").split("## Beside its peers")[1].split("\n## ")[0]
    rows = {line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")}
    assert {"AsyncViz", "AsyncFlow", "VizTracer", "ASGITransport", "TestClient", "looptime"} <= rows


def test_every_cell_is_shown_by_a_probe_or_said_by_a_document() -> None:
    for feature in FEATURES:
        for peer, cell in feature.cells.items():
            assert peer in PEERS
            assert bool(cell.probes) is not bool(cell.cites), f"{feature.name}, {peer}"
            assert "|" not in cell.says


def test_each_peer_is_somewhere_ahead_of_this_project() -> None:
    """Or the rows would have been chosen to please."""
    for peer in ("AsyncViz", "VizTracer", "looptime"):
        assert any(
            feature.cells[peer].says == "yes" and feature.cells["playground"].says == "no"
            for feature in FEATURES
            if {peer, "playground"} <= feature.cells.keys()
        ), peer


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["playground", "TestClient", "ASGITransport", "VizTracer"])
def test_every_probe_finds_what_its_cell_says(peer: str) -> None:
    assert list(peers.disagreements([peer])) == []


def test_a_cell_that_says_what_is_not_so_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    (feature,) = (each for each in FEATURES if each.name == "websockets")
    wrong = {**feature.cells, "ASGITransport": feature.cells["TestClient"].__class__("yes", ((lambda: False, True),))}
    monkeypatch.setattr(peers, "FEATURES", [feature.__class__(feature.name, wrong)])
    assert list(peers.disagreements(["ASGITransport"])) == [
        "websockets, ASGITransport: says 'yes', but <lambda> is False"
    ]


def test_the_help_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "--help"])
    with pytest.raises(SystemExit):
        benchmarks()
    assert peers.INSTALL in " ".join(capsys.readouterr().out.split())
