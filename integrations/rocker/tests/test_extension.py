"""The extension, as rocker itself calls it."""

import argparse
import subprocess
import sys

import pytest
from rocker.core import DockerImageGenerator, ExtensionError, RockerExtensionManager, list_plugins

from rocker_cachelane import extension
from rocker_cachelane.extension import CacheId

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW": "CI", "GITHUB_JOB": "build"}


@pytest.fixture(autouse=True)
def _nothing_said(no_lane):  # noqa: ARG001
    extension._said.clear()


def arguments(*words, defaults=None):
    """What rocker makes of a command line; its other extensions ask an engine what they may offer."""
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("--extension-blacklist", nargs="*", default=[])
    parser.add_argument("--strict-extension-selection", action="store_true")
    for name in ("snippet", "cache_id"):
        list_plugins()[name].register_arguments(parser, defaults or {})
    return vars(parser.parse_args(words))


class Generated:
    """What rocker would build."""

    def __init__(self, *words, defaults=None):
        cliargs = arguments(*words, "base", defaults=defaults)
        self.active = RockerExtensionManager().get_active_extensions(cliargs)
        self.names = [extension.get_name() for extension in self.active]
        self.dockerfile = DockerImageGenerator(self.active, cliargs, "base").dockerfile
        self.build_args = {}
        for active in self.active:
            self.build_args.update(active.get_build_args(cliargs))

    @property
    def lane(self):
        return self.build_args.get("CACHE_ID")


def test_the_option():
    made = Generated("--cache-id", "py310")
    assert made.names == ["cache_id"]
    assert made.build_args == {"CACHE_ID": "py310"}
    before, _, _ = made.dockerfile.partition("FROM base")
    assert "\nARG CACHE_ID=py310\n" in before
    assert made.dockerfile.count("CACHE_ID") == 1


def test_nothing_without_a_lane():
    made = Generated()
    assert (made.names, made.build_args) == ([], {})
    assert "CACHE_ID" not in made.dockerfile


def test_the_order(no_lane):
    for name, value in GITHUB.items():
        no_lane.setenv(name, value)
    assert Generated().lane == "CI-build-b719d602"
    no_lane.setenv("CACHE_ID", "general")
    assert Generated().lane == "general"
    no_lane.setenv("ROCKER_CACHE_ID", "rockers")
    assert Generated().lane == "rockers"
    assert Generated("--cache-id", "typed").lane == "typed"
    no_lane.setenv("ROCKER_CACHE_ID", " ")
    assert Generated().lane == "general"


def test_a_matrix(no_lane):
    for name, value in GITHUB.items():
        no_lane.setenv(name, value)
    lanes = set()
    for python in ("py310", "py313"):
        no_lane.setenv("CACHELANE_MATRIX", f'{{"python": "{python}"}}')
        lanes.add(Generated().lane)
        assert python in Generated().lane
    assert len(lanes) == 2


@pytest.mark.parametrize("empty", ["", " "])
def test_off(no_lane, empty):
    no_lane.setenv("CACHE_ID", "py310")
    assert Generated().lane == "py310"
    assert Generated("--cache-id", empty).names == []
    assert Generated(defaults={"cache-id": ""}).names == []


@pytest.mark.parametrize("key", ["cache-id", "cache_id"])
def test_defaults(no_lane, key):
    no_lane.setenv("CACHE_ID", "env")
    assert Generated(defaults={key: "py310"}).lane == "py310"
    assert Generated(defaults={key: 313}).lane == "313"
    assert Generated("--cache-id", "typed", defaults={key: "py310"}).lane == "typed"


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [("a b", "a-b-c8687a08"), ("a,b", "a-b-1eb7c54d"), ('"a"', "a-ac8d8342"), ("a" * 65, "a" * 55 + "-635361c4")],
)
def test_bad_values_are_cleaned_and_said_once(capsys, value, cleaned):
    made = Generated("--cache-id", value)
    assert made.lane == cleaned
    assert f"ARG CACHE_ID={cleaned}\n" in made.dockerfile
    printed = capsys.readouterr()
    assert printed.err.count(f"rocker-cachelane: the lane `{value}` cannot be a lane as it is") == 1
    assert printed.err.rstrip().endswith(f"`{cleaned}`")
    assert value not in printed.out


def test_a_good_value_is_not_worth_a_word(capsys):
    Generated("--cache-id", "py310")
    assert capsys.readouterr().err == ""


def test_jobs_of_a_matrix_are_told_that_they_share(no_lane, capsys):
    for name, value in GITHUB.items():
        no_lane.setenv(name, value)
    Generated()
    assert "CACHELANE_MATRIX: ${{ toJSON(matrix) }}" in capsys.readouterr().err


def test_a_broken_matrix_ends_rocker_with_a_sentence(no_lane):
    no_lane.setenv("CACHELANE_MATRIX", "${{ toJSON(matrix) }}")
    with pytest.raises(ExtensionError, match="CACHELANE_MATRIX: the matrix is no JSON"):
        Generated()
    assert Generated("--cache-id", "").names == []


def test_the_lane_stands_before_every_from(tmp_path):
    """Other extensions put whole stages before rocker's own FROM."""
    snippet = tmp_path / "Dockerfile"
    snippet.write_text("RUN true\n")
    made = Generated("--cache-id", "py310", "--snippet", str(snippet))
    builders = [list_plugins()[name]() for name in ("npm", "pixi")]
    cliargs = {"cache_id": "py310", "snippet": [str(snippet)], "name": "ada"}
    cliargs |= {"npm": True, "pixi": True, "extension_blacklist": [], "strict_extension_selection": False}
    active = RockerExtensionManager().get_active_extensions(cliargs)
    assert {type(builder) for builder in builders} <= {type(extension) for extension in active}
    dockerfile = DockerImageGenerator(active, cliargs, "base").dockerfile
    stages = [line for line in dockerfile.splitlines() if line.startswith(("FROM ", "ARG CACHE_ID"))]
    assert stages[0] == "ARG CACHE_ID=py310"
    assert len(stages) > 2
    assert made.names == ["cache_id", "snippet"]


def test_help():
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    CacheId.register_arguments(parser, {})
    text = parser.format_help()
    assert "--cache-id LANE" in text
    assert "ROCKER_CACHE_ID" in text
    assert "None" not in text


def test_an_older_rocker_is_told_which_one_is_needed(old_python):
    code = """
import sys
from rocker.core import RockerExtensionManager, get_rocker_version
arguments = {"cache_id": sys.argv[1], "extension_blacklist": [], "strict_extension_selection": False}
try:
    print(get_rocker_version(), len(RockerExtensionManager().get_active_extensions(arguments)))
except Exception as error:
    print(type(error).__name__, error)
"""
    printed = {}
    for lane in ("py310", ""):
        done = subprocess.run([old_python, "-c", code, lane], capture_output=True, text=True, check=True, env={})
        printed[lane] = done.stdout
    assert printed["py310"].startswith(
        "ExtensionError rocker-cachelane: --cache-id needs rocker 0.4.0 or later: rocker 0.2."
    )
    assert printed[""].endswith(" 0\n")


def test_what_a_terminal_would_obey_is_not_said(capsys):
    Generated("--cache-id", "a\x1b[2Jb\u202ec")
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "\u241b[2J" in said


def test_the_environment_is_read_byte_by_byte():
    code = "from rocker_cachelane.extension import CacheId; print(CacheId().get_build_args({}))"
    env = {b"CACHE_ID": b"py\xff310", b"LC_ALL": b"C"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=env)
    assert b"'CACHE_ID': 'py-310-" in done.stdout
