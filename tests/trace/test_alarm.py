"""A sleep is put off without waking who sleeps, and its timer is given back."""

import os
import threading
import time

import pytest

from playground.trace import alarm as module
from playground.trace.alarm import Alarm

needs_timer = pytest.mark.skipif(module._library is None, reason="it is Linux that has such a timer")
LONG_NS = 900_000_000


@pytest.fixture(params=["timer", "no timer"])
def any_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "no timer":
        monkeypatch.setattr(module, "_library", None)


@pytest.mark.usefixtures("any_system")
def test_it_sleeps_for_the_delay() -> None:
    alarm = Alarm(5_000_000)
    began_ns = time.monotonic_ns()
    assert alarm.sleep()
    assert time.monotonic_ns() - began_ns >= 4_900_000
    alarm.close()


@pytest.mark.usefixtures("any_system")
def test_who_sleeps_is_woken_for_the_last_time_and_sleeps_no_more() -> None:
    alarm, went_on = Alarm(LONG_NS), []

    def watch() -> None:
        while alarm.sleep():
            went_on.append(1)

    thread = threading.Thread(target=watch)
    thread.start()
    alarm.ring()
    thread.join()
    assert len(went_on) == 0
    assert not alarm.sleep()
    alarm.close()


@needs_timer
def test_who_sleeps_sleeps_on_when_it_is_put_off() -> None:
    alarm, woke_ns = Alarm(50_000_000), []

    def watch() -> None:
        alarm.sleep()
        woke_ns.append(time.monotonic_ns())

    thread = threading.Thread(target=watch)
    began_ns = time.monotonic_ns()
    thread.start()
    for _ in range(20):
        time.sleep(0.01)
        next_ns = time.monotonic_ns()
        alarm.put_off()
        woken = list(woke_ns)
        if time.monotonic_ns() - began_ns >= 50_000_000:  # this thread was itself held up
            break
        assert woken == []
        began_ns = next_ns
    thread.join()
    alarm.close()


@needs_timer
def test_the_timer_is_given_back_once() -> None:
    alarm = Alarm(LONG_NS)
    timer = alarm._timer
    os.fstat(timer)
    alarm.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(timer)
    alarm.close()  # somebody else may have that number by now
    assert not alarm.can_be_put_off


@needs_timer
def test_the_timer_of_who_is_forgotten_is_given_back() -> None:
    timer = Alarm(LONG_NS)._timer
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(timer)


def test_where_no_timer_is_left_it_cannot_be_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def timerfd_create(self, clock: int, flags: int) -> int:
            return -1

    monkeypatch.setattr(module, "_library", Library())
    alarm = Alarm(1_000)
    assert not alarm.can_be_put_off
    assert alarm.sleep()
