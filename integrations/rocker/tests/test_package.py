"""What is released."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from conftest import REPOSITORY

PACKAGE = Path(__file__).parents[1]


def version(file):
    return re.search(r'^version = "(.*)"$', file.read_text(encoding="utf-8"), re.MULTILINE)[1]


def test_the_version_is_that_of_the_crate():
    assert version(PACKAGE / "pyproject.toml") == version(REPOSITORY / "Cargo.toml")


def test_the_licences_are_those_of_the_crate():
    for licence in ("LICENSE-APACHE", "LICENSE-MIT"):
        assert (PACKAGE / licence).read_bytes() == (REPOSITORY / licence).read_bytes()


def test_the_wheel(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PACKAGE, check=True, capture_output=True)
    (wheel,) = tmp_path.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = f"rocker_cachelane-{version(PACKAGE / 'pyproject.toml')}.dist-info"
        metadata = archive.read(f"{info}/METADATA").decode()
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert {"rocker_cachelane/py.typed", "rocker_cachelane/extension.py"} <= set(names)
    assert {f"{info}/licenses/LICENSE-MIT", f"{info}/licenses/LICENSE-APACHE"} <= set(names)
    assert entry_points.split() == ["[rocker.extensions]", "cache_id", "=", "rocker_cachelane.extension:CacheId"]
    needed = [line for line in metadata.splitlines() if line.startswith(("Requires-Dist", "Requires-Python"))]
    assert needed == ["Requires-Python: >=3.9", "Requires-Dist: rocker>=0.4.0"]


def test_the_readme_names_every_ci():
    from rocker_cachelane.table import CIS  # noqa: PLC0415

    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    assert all(ci.name in readme for ci in CIS)
