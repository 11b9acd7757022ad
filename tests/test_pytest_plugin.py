"""The pytest plugin, seen from the suites that use it: each runs in a process of its own, by the entry point."""

import inspect
import re

import pytest

from playground import Lab, pytest_plugin
from playground.pytest_plugin import LabOptions
from tests.suites import SECTION, run

pytestmark = pytest.mark.slow  # each test starts a pytest of its own


# -- labs -----------------------------------------------------------------------------------------------------------


def test_a_lab_is_open_in_its_test_and_closed_after_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        made = []
        threads = set(threading.enumerate())  # other plugins may have some

        def test_one(lab):
            made.append(lab(app))
            made.append(lab(app, threads=2, trace=False))
            assert [each.get("/ok").text for each in made] == ["ok", "ok"]
            made[0].burst("/report", n=2)
            assert repr(made[0]) == "<Lab open: 1 runs>"

        def test_two():
            assert [repr(each) for each in made] == ["<Lab closed: 1 runs>", "<Lab closed: 0 runs>"]
            assert set(threading.enumerate()) <= threads
        """,
    )
    result.assert_outcomes(passed=2)
    assert SECTION not in result.stdout.str()


def test_all_labs_are_closed_where_one_cannot_shut_down(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import contextlib
        from playground.web.applications import Starlette

        made = []

        @contextlib.asynccontextmanager
        async def lifespan(app):
            yield
            raise ValueError("the database is gone")

        def test_one(lab):
            made.extend([lab(app), lab(Starlette(lifespan=lifespan)), lab(app)])

        def test_two():
            assert [repr(each) for each in made] == ["<Lab closed: 0 runs>"] * 3
        """,
    )
    result.assert_outcomes(passed=2, errors=1)
    assert "ValueError: the database is gone" in result.stdout.str()


@pytest.mark.slow
def test_a_call_that_holds_a_closed_lab_is_reported(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        held, release = threading.Event(), threading.Event()

        @app.get("/held")
        def hold():
            held.set()
            release.wait()  # the line at which it stands

        def test_one(lab):
            one = lab(app)
            threading.Thread(target=lambda: pytest.raises(Exception, one.get, "/held"), daemon=True).start()
            assert held.wait(20)
        """,
    )
    result.assert_outcomes(passed=1, errors=1)
    path = next(pytester.path.glob("test_*.py"))
    line = path.read_text().splitlines().index("    release.wait()  # the line at which it stands") + 1
    told = "\n".join(result.outlines)
    assert (
        "expected the test's labs to end when they were closed, got 1 of 1 held by a call that cannot be stopped from "
        "outside: let it end before the test does. The threads of labs stand at:\n"
        "  playground lab: "
    ) in told
    assert f"  AnyIO worker thread: {path}, line {line}\n" in f"{told}\n"


def test_the_recordings_of_a_test_are_let_go_after_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import gc
        import weakref

        seen = []

        def test_one(lab):
            seen.append(weakref.ref(lab(app).burst("/ok", n=1)))

        def test_two():
            gc.collect()
            assert seen[0]() is None
        """,
    )
    result.assert_outcomes(passed=2)


# -- virtual time ---------------------------------------------------------------------------------------------------


# `lab` imports Lab when it is called, so what it passes on can be seen
OPTIONS = """
import pytest
import playground.lab

pytestmark = pytest.mark.virtual_clock(seed=1)

class Lab:
    runs = ()

    def __init__(self, app, **options):
        self.options = options

    def close(self):
        pass

playground.lab.Lab = Lab
"""


def test_the_nearest_marker_sets_the_clock_and_the_labs_own_options_win(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_module(lab):
            assert lab(None).options == {"clock": "virtual", "seed": 1}

        @pytest.mark.virtual_clock
        def test_own(lab):
            assert lab(None).options == {"clock": "virtual"}

        @pytest.mark.virtual_clock(seed=7, schedule="random")
        def test_options(lab):
            assert lab(None).options == {"clock": "virtual", "seed": 7, "schedule": "random"}
            assert lab(None, clock="real", threads=3).options == {
                "clock": "real", "seed": 7, "schedule": "random", "threads": 3
            }

        def test_without_a_lab():
            pass
        """,
        app=OPTIONS,
    )
    result.assert_outcomes(passed=4)


@pytest.mark.parametrize(("arguments", "wrong"), [("3", "3"), ("speed=3", "speed=...")])
def test_a_marker_with_what_it_does_not_know_is_refused(pytester: pytest.Pytester, arguments: str, wrong: str) -> None:
    result = run(
        pytester,
        f"""
        @pytest.mark.virtual_clock({arguments})
        def test_one(lab):
            lab(app)
        """,
    )
    result.assert_outcomes(errors=1)
    assert (
        f"expected virtual_clock with seed=... or schedule=... or nothing, got {wrong}: give other options to "
        "lab(app, ...)"
    ) in result.outlines


def test_a_marker_on_a_test_that_makes_no_lab_is_told_to_be_without_effect(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        @pytest.mark.virtual_clock
        def test_without_the_fixture():
            pass

        @pytest.mark.virtual_clock
        def test_without_a_lab(lab):
            pass

        @pytest.mark.virtual_clock
        def test_that_fails():
            raise ValueError("its own")

        @pytest.mark.virtual_clock
        def test_that_skips():
            pytest.skip("not today")
        """,
    )
    result.assert_outcomes(failed=3, skipped=1)
    assert (
        result.outlines.count(
            "expected a test marked virtual_clock to make a lab by the fixture `lab`, got none: the marker sets the "
            "clock of such labs and of nothing else. Take the fixture and call lab(app), or take the marker away."
        )
        == 2
    )


@pytest.mark.parametrize("schedule", ["fifo", "random"])
def test_a_marked_test_runs_in_virtual_time(pytester: pytest.Pytester, schedule: str) -> None:
    result = run(
        pytester,
        f"""
        from playground.assertions import assert_handoffs, assert_never_blocks, assert_nothing_left
        from playground.assertions import assert_overlap, assert_responds_within

        @app.get("/slow")
        async def slow():
            await asyncio.sleep(3600)
            return "slow"

        @app.get("/worker")
        def worker():
            time.sleep(60)
            return "done"

        @pytest.mark.virtual_clock(seed=3, schedule="{schedule}")
        def test_one(lab):
            mine = lab(app)
            run = mine.burst("/slow", n=20)
            assert run.trace.clock == "virtual"
            assert_responds_within(run, 3600)
            assert_overlap(run, at_least=20)
            assert_never_blocks(run)
            assert_nothing_left(run)
            run = mine.burst("/worker", n=80)
            assert_handoffs(run, per_request=1)
            assert_responds_within(run, 120)
            assert_nothing_left(run)
            with pytest.raises(AssertionError, match="^expected 75 % of .* within 1 min, got 40 of 80 "):
                assert_responds_within(run, 60, share=0.75)
            assert_responds_within(run, 60, share=0.5)
            with pytest.raises(AssertionError, match=r"answered 200 after 2 min, 1 ns too late"):
                assert_responds_within(run, 119.999999999)

        def test_two(lab):
            assert lab(app).burst("/ok", n=1).trace.clock == "real"
        """,
    )
    result.assert_outcomes(passed=2)


def test_the_options_of_the_fixture_are_those_of_a_lab() -> None:
    options = inspect.signature(Lab).parameters.values()
    assert list(LabOptions.__annotations__) == [each.name for each in options if each.kind is each.KEYWORD_ONLY]


def test_the_marker_is_explained(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--markers")
    assert (
        "@pytest.mark.virtual_clock(seed=0, schedule='fifo'): labs that the fixture `lab` makes run in virtual time; "
        "`seed` and `schedule` are those of playground.Lab"
    ) in result.outlines


# -- beside others --------------------------------------------------------------------------------------------------


def test_it_can_be_left_out(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_one(lab):
            pass
        """,
        "-p",
        "no:playground",
    )
    result.assert_outcomes(errors=1)
    assert "fixture 'lab' not found" in result.stdout.str()


def test_a_suite_that_makes_no_lab_loads_no_views_and_no_widgets(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import sys

        def test_one(request):
            assert request.config.pluginmanager.has_plugin("playground")
            loaded = {name for name in sys.modules if name.startswith("playground.")}
            assert {name for name in loaded if name.startswith(("playground.views", "playground.widgets"))} == set()
            assert "playground.assertions" not in loaded
        """,
        app="",
    )
    result.assert_outcomes(passed=1)


def test_it_works_in_the_processes_of_xdist(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not in the test extra")
    result = run(
        pytester,
        """
        @pytest.mark.parametrize("number", range(4))
        def test_fails(lab, number):
            lab(app).burst("/blocks", n=number + 1)
            assert False
        """,
        "-n2",
        "--playground-html=pages",
    )
    result.assert_outcomes(failed=4)
    assert result.stdout.str().count(SECTION) == 4
    assert len(list((pytester.path / "pages").iterdir())) == 4


def test_the_example_of_its_own_paragraph_runs(pytester: pytest.Pytester) -> None:
    example = "\n".join(re.findall(r"^ {4}.*$|^$", pytest_plugin.__doc__ or "", flags=re.MULTILINE))
    assert "def test_" in example
    run(pytester, example).assert_outcomes(passed=len(re.findall(r"def test_", example)))
