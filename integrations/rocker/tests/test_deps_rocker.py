"""`cachelane fix` on the snippets of deps-rocker as it is installed, expanded by its own code."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import dockerfile
import pytest

# Expands all its extensions into one Dockerfile. Its templates come in by a deps.yaml.
GENERATE = """
import contextlib, io, logging, sys
from importlib.metadata import entry_points
from rocker.core import generate_dockerfile
logging.disable(logging.CRITICAL)
points = [point for point in entry_points(group="rocker.extensions") if point.value.startswith("deps_rocker.")]
arguments = {"name": "ada", "user": True, "user_override_name": "ada", "base_image": "base", "deps": "*.deps.yaml"}
with contextlib.redirect_stdout(io.StringIO()):
    made = generate_dockerfile([point.load()() for point in sorted(points)], arguments, "base")
import deps_rocker
assert deps_rocker.__file__.startswith(sys.argv[1]), deps_rocker.__file__
print(made)
"""

DEPS = "add-apt-repository: [universe]\nlocales: [x]\ntzdata: [x]\n"


def is_locked(flag):
    return flag.startswith("--mount=") and "sharing=locked" in flag.split("=", 1)[1].split(",")


def without_id(flag):
    """A locked mount's options but for its id."""
    return sorted(option for option in flag.split("=", 1)[1].split(",") if not option.startswith("id="))


def id_of(flag):
    options = dict(option.partition("=")[::2] for option in flag.split("=", 1)[1].split(","))
    return options.get("id", options["target"])


@pytest.fixture
def expanded(tmp_path, cachelane):
    """The Dockerfiles before and after, by their instructions, and the fixed tree."""
    source = Path(find_spec("deps_rocker").origin).parent
    work = tmp_path / "work"
    work.mkdir()
    (work / "all.deps.yaml").write_text(DEPS)
    parsed = []
    for name in ("before", "after"):
        tree = tmp_path / name
        shutil.copytree(source, tree / "deps_rocker", ignore=shutil.ignore_patterns("__pycache__"))
        if name == "after":
            subprocess.run([cachelane, "fix", "--no-config", "--quiet", str(tree)], check=True)
        # Without BuildKit, the extensions' Python code writes no mounts of its own.
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(tree),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-c", GENERATE, str(tree)]
        done = subprocess.run(command, cwd=work, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        parsed.append(dockerfile.parse_string(done.stdout))
    return (*parsed, tmp_path)


def test_every_locked_id_is_isolated_and_nothing_else_is_changed(expanded):
    before, after, _ = expanded
    declared = {
        index for index, one in enumerate(after) if one.cmd.upper() == "ARG" and one.value == ("CACHE_ID=default",)
    }
    kept = [one for index, one in enumerate(after) if index not in declared]
    assert len(kept) == len(before)
    locked = 0
    for old, new in zip(before, kept):
        assert (old.cmd, old.sub_cmd, old.json, old.value) == (new.cmd, new.sub_cmd, new.json, new.value)
        assert len(old.flags) == len(new.flags)
        for was, now in zip(old.flags, new.flags):
            if is_locked(was):
                locked += 1
                assert without_id(was) == without_id(now)
                assert id_of(now) == id_of(was) + "-${CACHE_ID}"
            else:
                assert was == now
    # What deps-rocker 0.23.2 has in the snippets and templates that are used.
    assert locked == 14


def test_every_id_sees_the_argument(expanded):
    _, after, _ = expanded
    seen = declared = 0
    for one in after:
        if one.cmd.upper() == "FROM":
            declared = 0
        elif one.cmd.upper() == "ARG" and one.value == ("CACHE_ID=default",):
            declared += 1
        for flag in one.flags:
            if "CACHE_ID" in flag:
                seen += 1
                assert declared, one.original
    assert seen == 14


def test_what_its_python_code_writes_is_named(expanded, cachelane):
    *_, place = expanded
    command = [cachelane, "fix", "--no-config", str(place / "after")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code = place / "after/deps_rocker/simple_rocker_extension.py"
    said = f"2 locks stand in text that fix does not touch: {code}:334, {code}:335\n"
    assert done.stdout.endswith(f"nothing to fix.\n{said}")


def test_only_its_dockerfiles_are_touched(expanded):
    *_, place = expanded

    def files(name):
        return {
            file.relative_to(place / name): file.read_bytes() for file in (place / name).rglob("*") if file.is_file()
        }

    before, after = files("before"), files("after")
    assert before.keys() == after.keys()
    changed = [path for path in before if before[path] != after[path]]
    assert len(changed) == 6
    assert {path.suffix for path in changed} == {".Dockerfile"}
