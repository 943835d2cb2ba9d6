"""What several tests need."""

import json
import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


def lane_cases():
    """The table that the tests of `cachelane id` read, too."""
    return json.loads((REPOSITORY / "integrations/lane-cases.json").read_text(encoding="utf-8"))


# As this was started: some tests take everything out.
ENVIRONMENT = dict(os.environ)


def given(name):
    """The path in a variable that `check` sets; without it, a test is left out, but not in CI."""
    value = ENVIRONMENT.get(name)
    if value:
        return value
    reason = f"{name} is not set: run this by integrations/rocker/check"
    return pytest.fail(reason) if ENVIRONMENT.get("CI") == "true" else pytest.skip(reason)


@pytest.fixture
def cachelane():
    """The cachelane of this repository."""
    return given("CACHELANE")


@pytest.fixture
def old_python():
    """A Python whose rocker hands no build arguments on."""
    return given("CACHELANE_OLD_ROCKER")


@pytest.fixture
def no_lane(monkeypatch):
    """An environment that says nothing about a job, to be filled."""
    for name in list(os.environ):
        if name not in ("PATH", "HOME", "TMPDIR"):
            monkeypatch.delenv(name)
    return monkeypatch
