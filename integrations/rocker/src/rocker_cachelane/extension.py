"""The rocker extension: the lane as a build argument, and before the first FROM of the Dockerfile."""

import os
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Mapping
from typing import Any, NoReturn, Optional

from rocker import core

from rocker_cachelane.lane import DEFAULT, VARIABLES, JobLane, lane
from rocker_cachelane.matrix import MatrixError

# The build argument that ids refer to.
ARGUMENT = "CACHE_ID"

# The rocker that is asked for where the one that is there has no hook for build arguments.
NEEDED = "0.4.0"

_HELP = (
    "The cache lane of this build, handed to it as the build argument CACHE_ID: jobs with different lanes do not wait "
    "for each other's caches. Without it, the lane is ROCKER_CACHE_ID or CACHE_ID of the environment, or else made of "
    "the CI's names for the job; outside CI there is none. Empty ('') for no lane at all."
)

# What was said already: rocker asks for the same several times.
_said: set[str] = set()


class CacheId(core.RockerExtension):  # type: ignore[misc]
    """Gives the build its job's lane."""

    @staticmethod
    def get_name() -> str:
        """Name the extension, and its place in rocker's arguments."""
        return "cache_id"

    @staticmethod
    def register_arguments(parser: ArgumentParser, defaults: Optional[Mapping[str, Any]] = None) -> None:
        """Add `--cache-id`."""
        defaults = defaults or {}
        default = defaults.get("cache-id", defaults.get("cache_id"))
        # Without a default, rocker's help would say that it is None.
        parser.add_argument(
            "--cache-id", metavar="LANE", default=SUPPRESS if default is None else str(default), help=_HELP
        )

    @classmethod
    def check_args_for_activation(cls, cli_args: Mapping[str, Any]) -> bool:
        """Whether there is a lane; a matrix that cannot be read is left to `required`, which can say so."""
        try:
            return _lane(cli_args) is not None
        except MatrixError:
            return True

    def required(self, cliargs: Mapping[str, Any]) -> set[str]:
        """Say what is wrong, at the first occasion at which rocker shows errors. No other extension is needed."""
        _complain(cliargs)
        return set()

    def get_build_args(self, cliargs: Mapping[str, Any]) -> dict[str, str]:
        """Hand the lane to the engine."""
        found = _lane(cliargs)
        return {} if found is None else {ARGUMENT: found.name}

    def get_preamble(self, cliargs: Mapping[str, Any]) -> str:
        """Put the lane before the first FROM, for those who only read the Dockerfile.

        A stage that declares `ARG CACHE_ID` picks it up; `ARG CACHE_ID=default` in a stage stands above it.
        """
        _complain(cliargs)
        found = _lane(cliargs)
        return "" if found is None else f"ARG {ARGUMENT}={found.name}"

    def get_snippet(self, cliargs: Mapping[str, Any]) -> str:  # noqa: ARG002
        """Add nothing: an ARG here would make each lane build all layers behind it anew."""
        return ""


def _lane(cliargs: Mapping[str, Any]) -> Optional[JobLane]:
    """Find the lane, if there is one."""
    typed = cliargs.get("cache_id")
    argument = None if typed is None else os.fsencode(str(typed))
    if argument is not None and not argument.strip():
        return None
    # To rocker, the variable that is named after it says more.
    found = lane(os.environb, argument, variables=VARIABLES[::-1])
    for note in found.notes:
        _say(note)
    return None if found.source == DEFAULT else found


def _complain(cliargs: Mapping[str, Any]) -> None:
    """Fail where the lane cannot be found, or not be handed on."""
    if not hasattr(core.RockerExtension, "get_build_args"):
        _fail(
            f"--cache-id needs rocker {NEEDED} or later: rocker {core.get_rocker_version()} hands no build arguments "
            f"to the engine. `pip install 'rocker>={NEEDED}'`, or `--cache-id ''` to build without a lane"
        )
    try:
        _lane(cliargs)
    except MatrixError as error:
        _fail(f"CACHELANE_MATRIX: {error}")


def _fail(message: str) -> NoReturn:
    # Rocker prints an ExtensionError and ends; versions before it had that show a traceback with the message.
    raise getattr(core, "ExtensionError", RuntimeError)(f"rocker-cachelane: {message}")


def _say(note: str) -> None:
    if note not in _said:
        _said.add(note)
        print(f"rocker-cachelane: {printable(note)}", file=sys.stderr)


def printable(text: str) -> str:
    """Show what a terminal would obey as pictures, as cachelane does."""
    return "".join(map(_picture, text))


def _picture(char: str) -> str:
    if char < " ":
        return chr(0x2400 + ord(char))
    return "\u2421" if char == "\x7f" else char if char.isprintable() else "\ufffd"
