"""Fixtures for what runs in processes of its own."""

import os

import pytest


@pytest.fixture(params=["forked", "fresh"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which a process is made: the second is for systems that cannot fork."""
    if request.param == "fresh":
        monkeypatch.delattr(os, "fork")
    name: str = request.param
    return name
