"""The loop theatre, as a person uses it: step, go back, play, scrub, guess; and what Python hears of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from playground.trace import Trace
from playground.trace.columns import unpack
from playground.views.play import play, sentences
from playground.views.svg import svg
from playground.widgets import Theatre
from tests.browser import Chromium
from tests.by_hand import request, step, task
from tests.widgets.theatre import STILL, Stage

MOVING = {**STILL, "reduced_motion": "no-preference"}


# -- going from step to step ------------------------------------------------------------------------------


@pytest.mark.browser
def test_going_on_and_back_shows_the_same(see: Callable[..., Any], small: Trace) -> None:
    def scenario(stage: Stage) -> None:
        on = [stage.seen]
        for _ in small.steps:
            stage.press("ArrowRight")
            on.append(stage.seen)
        assert len(set(on)) == len(small.steps) + 1
        back = [stage.seen]
        for _ in small.steps:
            stage.press("ArrowLeft")
            back.append(stage.seen)
        assert back == on[::-1]

    see(small, scenario)


@pytest.mark.browser
def test_each_step_has_its_sentence_to_be_seen_and_heard(see: Callable[..., Any], small: Trace) -> None:
    told = play(small)

    def scenario(stage: Stage) -> None:
        for place in range(4):
            assert stage.sentence == told.sentence(place).replace("`", "")
            assert stage.said.strip() == stage.sentence
            stage.press("ArrowRight")

    see(small, scenario)


@pytest.mark.browser
def test_keys_buttons_and_the_slider_all_go_where_they_say(see: Callable[..., Any], small: Trace) -> None:
    last = len(small.steps)

    def scenario(stage: Stage) -> list[int]:
        places = [stage.step]
        for key in ("End", "ArrowRight", "ArrowLeft", "Home", "ArrowLeft", "ArrowRight"):
            stage.press(key)
            places.append(stage.step)
        for name in ("Last step", "Step back", "First step", "Step"):
            stage.click(name)
            places.append(stage.step)
        stage.slider.fill("7")
        return [*places, stage.step]

    assert see(small, scenario) == [0, last, last, last - 1, 0, 0, 1, last, last - 1, 0, 1, 7]


@pytest.mark.browser
def test_the_moment_and_the_step_are_told_beside_the_title(see: Callable[..., Any], small: Trace) -> None:
    def scenario(stage: Stage) -> tuple[str, str | None]:
        stage.press("End")
        return stage.seen[2], stage.slider.get_attribute("aria-valuetext")

    header, valued = see(small, scenario)
    assert header.endswith(f"step {len(small.steps)} of {len(small.steps)}")
    assert valued == f"step {len(small.steps)} of {len(small.steps)}"


@pytest.mark.browser
@pytest.mark.parametrize("options", [STILL, MOVING])
def test_it_plays_to_the_end_and_cards_glide_unless_the_reader_prefers_not(
    see: Callable[..., Any], small: Trace, options: dict[str, Any]
) -> None:
    def scenario(stage: Stage) -> tuple[list[tuple[str, str]], int]:
        stage.shown.root.get_by_role("combobox", name="Speed").select_option("100 a second")
        stage.shown.host.evaluate(
            """host => {
                window.glides = 0;
                const {animate} = Element.prototype;
                Element.prototype.animate = function (...args) { glides += 1; return animate.apply(this, args); };
            }"""
        )
        began = stage.space()
        expect(stage.shown.root.get_by_role("button", name="Play", exact=True)).to_be_visible()
        assert stage.step == len(small.steps)
        return [began, stage.space()], stage.page.evaluate("glides")

    began, glides = see(small, scenario, **options)
    assert began == [("Pause", "0"), ("Pause", "0")]  # at the end, it begins anew
    assert (glides > 0) == (options is MOVING)


@pytest.mark.browser
def test_space_on_a_button_presses_that_button_only(see: Callable[..., Any], small: Trace) -> None:
    def scenario(stage: Stage) -> tuple[int, int]:
        stage.shown.root.get_by_role("button", name="Step", exact=True).press("Space")
        stage.shown.settle()
        return stage.step, stage.shown.root.get_by_role("button", name="Play", exact=True).count()

    assert see(small, scenario) == (1, 1)


@pytest.mark.browser
def test_it_opens_at_the_first_step_of_a_request(see: Callable[..., Any]) -> None:
    trace = Trace(
        steps=[step(0, 0, 1, "yields"), step(0, 1, 1, "yields"), step(1, 2, 1, "returned"), step(0, 4, 1, "yields")],
        tasks=[task(), task(coroutine="read")],
        requests=[request(0, 2, 3, task=1)],
    )
    assert see(trace, lambda stage: (stage.opened, stage.step)) == (2, 0)
    assert (Theatre(trace).step, trace.theatre().step, Theatre(trace, step=0).step) == (2, 2, 0)


@pytest.mark.browser
def test_a_page_of_its_own_opens_there_too(chromium: Chromium, small: Trace, tmp_path: Path) -> None:
    small.to_html(tmp_path / "run.html")

    def scenario(page: Page) -> str | None:
        page.goto((tmp_path / "run.html").as_uri())
        page.get_by_role("tab", name="Theatre").click()
        return page.get_by_test_id("theatre").get_attribute("data-step")

    assert chromium.run(scenario, **STILL) == str(play(small).opens) != "0"


# -- guessing ---------------------------------------------------------------------------------------------


def right_digit(trace: Trace, stage: Stage, place: int) -> tuple[str, str]:
    """The keys of a right and of a wrong choice, read off the recording and the page."""
    shown = play(trace)
    queue = [at for at in range(place + 1, shown.stage.steps) if shown.stage.queued_from[at] <= place]
    assert queue[0] == place + 1
    actor = shown.actors[shown.stage.actor[place + 1]]
    names = [choice.replace("\n", " ") for choice in stage.choices]
    (right,) = [
        i for i, words in enumerate(names, 1) if f"{actor.label} {actor.tag}".strip() in words and "queue" in words
    ]
    return str(right), str(right % len(names) + 1)


def first_with_a_queue(trace: Trace) -> int:
    made = play(trace).stage
    return next(at for at in range(1, made.steps) if made.queued_from[at + 1] <= at)


@pytest.mark.browser
@pytest.mark.parametrize("is_right", [True, False])
def test_a_guess_is_held_against_the_recording_and_counted(
    see: Callable[..., Any], small: Trace, is_right: bool
) -> None:
    place = first_with_a_queue(small)

    def scenario(stage: Stage) -> tuple[str, str, Any, int]:
        stage.slider.fill(str(place))
        stage.click("Predict: hide what comes next until you have chosen")
        stage.press("ArrowRight", "End")  # what comes next is hidden
        assert stage.step == place
        assert "What runs next?" in stage.said
        right, wrong = right_digit(small, stage, place)
        stage.press(right if is_right else wrong)
        return stage.sentence, stage.said, stage.trait("guesses"), stage.step

    sentence, said, guesses, at = see(small, scenario)
    assert at == place + 1
    assert guesses == {"right": int(is_right), "wrong": int(not is_right)}
    assert sentence.startswith("Right: it was first" if is_right else "Not so. Next is")
    assert "first in the ready queue. " in sentence, "what is said of the step stands apart"
    assert said.startswith(sentence[:20])


@pytest.mark.browser
def test_what_was_guessed_once_stays_open_and_the_end_needs_no_guess(see: Callable[..., Any]) -> None:
    trace = Trace(steps=[step(0, at, 1, "yields") for at in range(3)], tasks=[task()])

    def scenario(stage: Stage) -> list[Any]:
        stage.set_trait("predict", True)
        seen: list[Any] = []
        for _ in range(2):
            stage.shown.root.get_by_role("group", name="What runs next?").get_by_role("button").first.click()
            seen.append(stage.step)
        stage.press("Home")
        seen.append(len(stage.choices))
        stage.press("End")
        return [*seen, stage.step, stage.choices, stage.trait("guesses")]

    assert see(trace, scenario) == [1, 2, 0, 3, [], {"right": 2, "wrong": 0}]


@pytest.mark.browser
def test_while_it_asks_nothing_tells_what_comes_later(see: Callable[..., Any], small: Trace) -> None:
    def scenario(stage: Stage) -> tuple[list[str], list[str]]:
        stage.slider.fill("6")
        stage.shown.settle()
        before = stage.cards("Waiting")
        stage.click("Predict: hide what comes next until you have chosen")
        return before, stage.cards("Waiting")

    before, while_asked = see(small, scenario)
    assert len(before) == len(while_asked) > 0
    assert any(" of " in card or "I/O" in card for card in before)
    assert not any(" of " in card for card in while_asked)


@pytest.mark.browser
def test_playing_stops_where_it_asks(see: Callable[..., Any], small: Trace) -> None:
    def scenario(stage: Stage) -> tuple[int, str | None]:
        stage.set_trait("predict", True)
        stage.shown.root.get_by_role("combobox", name="Speed").select_option("100 a second")
        stage.press("Space")
        expect(stage.shown.root.get_by_role("button", name="Play", exact=True)).to_be_visible()
        return stage.step, stage.shown.root.get_by_role("button", name="Predict").get_attribute("aria-pressed")

    assert see(small, scenario) == (0, "true")


# -- Python's side ----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_python_hears_of_the_step_and_may_set_it(see: Callable[..., Any], small: Trace) -> None:
    def scenario(stage: Stage) -> tuple[int, int, Any]:
        stage.set_trait("step", 5)
        heard = stage.step
        stage.press("ArrowRight")
        stage.page.wait_for_function("model.get('step') === 6")
        stage.set_trait("step", 10**9)
        return heard, stage.step, stage.trait("guesses")

    assert see(small, scenario) == (5, len(small.steps), {})


def test_the_widget_has_three_small_traits_and_sends_the_play_apart(small: Trace) -> None:
    widget = small.theatre(predict=True)
    state = widget.get_state()
    own = {name: state[name] for name in ("step", "predict", "guesses", "title", "height")}
    assert own == {"step": play(small).opens, "predict": True, "guesses": {}, "title": small.title, "height": 420}
    assert len(json.dumps({name: str(value) for name, value in state.items() if not name.startswith("_")})) < 1000
    assert unpack(widget._packet)[0]["view"] == "theatre"


def test_where_nothing_runs_stand_the_first_sentences_and_the_timeline(small: Trace) -> None:
    data, _ = Theatre(small)._repr_mimebundle_(include=None, exclude=None)
    assert data["text/plain"] == sentences(small)
    assert data["image/svg+xml"] == svg(small)


def test_the_repr_names_the_recording(small: Trace) -> None:
    assert repr(Theatre(small)) == f"<Theatre of {small!r}>"


def test_guesses_made_on_the_page_are_read_in_python(small: Trace) -> None:
    widget = Theatre(small)
    heard: list[Any] = []
    widget.observe(lambda change: heard.append(change["new"]), "guesses")
    widget.set_state({"guesses": {"right": 1, "wrong": 0}})
    assert heard == [{"right": 1, "wrong": 0}]
    assert widget.guesses == {"right": 1, "wrong": 0}
