"""Which job is this, and what is its lane: the same as `cachelane id` prints.

The cases in `integrations/lane-cases.json` of cachelane say what comes out; the tests of both read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

from rocker_cachelane import clean, matrix
from rocker_cachelane.table import CIS

# The variables that hold a lane, in the order of `cachelane id`: the first one first.
VARIABLES = ("CACHE_ID", "ROCKER_CACHE_ID")

# The variable that holds a job's matrix values, as JSON.
MATRIX = "CACHELANE_MATRIX"

# The lane, and its source, where nothing says which job this is.
DEFAULT = "default"


@dataclass(frozen=True)
class JobLane:
    """A job's lane: its name, where it comes from, and what there is to say about it, a sentence each."""

    name: str
    source: str
    notes: tuple[str, ...] = field(default=())


def lane(
    env: Mapping[bytes, bytes],
    argument: Optional[bytes] = None,
    typed_matrix: Optional[bytes] = None,
    variables: Sequence[str] = VARIABLES,
) -> JobLane:
    """Find the lane of the job whose environment is `env`. What is blank counts as not set.

    Raises `matrix.MatrixError` if a matrix is given that is no JSON object.
    """

    def variable(name: str) -> Optional[bytes]:
        return _said(env.get(name.encode("ascii")))

    typed_matrix = _said(typed_matrix)
    text = variable(MATRIX) if typed_matrix is None else typed_matrix
    values = None if text is None else matrix.read(text)

    for name, source, value in (
        ("the lane", "argument", _said(argument)),
        *((name, name, variable(name)) for name in variables),
    ):
        if value is not None:
            return _given(value, source, name, idle_matrix=typed_matrix is not None)

    notes: list[str] = []
    for ci in CIS:
        if not ci.runs(variable):
            continue
        parts = [part.read(variable) for part in ci.parts]
        if not any(parts):
            notes.append(f"{ci.name} runs this, but does not say which job it is")
            continue
        is_told = text is not None or any(variable(name) for name in ci.told)
        if ci.sharing is not None and not is_told:
            notes.append(ci.sharing)
        if ci.always is not None:
            notes.append(ci.always)
        return JobLane(_named(parts, values), ci.name, tuple(notes))
    return JobLane(_named([], values), DEFAULT if values is None else "matrix", tuple(notes))


def _given(value: bytes, source: str, what: str, *, idle_matrix: bool) -> JobLane:
    """Make the lane that somebody chose: `what` names it."""
    name = clean.one(value)
    notes = []
    if name.encode("ascii") != value:
        notes.append(
            f"{what} `{value.decode('utf-8', 'replace')}` cannot be a lane as it is (letters, digits, `_`, `.` and "
            f"`-`, at most {clean.LONGEST}, and neither `.` nor `-` first): `{name}`"
        )
    if idle_matrix:
        notes.append(f"{what} says which lane this is: the matrix has no part in it")
    return JobLane(name, source, tuple(notes))


def _named(parts: list[Optional[bytes]], values: Optional[matrix.Matrix]) -> str:
    """Make the lane of the job that is called `parts`, each of which has its place, whether it is there or not."""
    if values is None and not parts:
        return DEFAULT
    if values is None and parts[0] is not None and not any(parts[1:]):
        return clean.one(parts[0])
    shown = [part for part in parts if part is not None]
    whole = [part or b"" for part in parts]
    if values is not None:
        shown.append(values.shown)
        whole.append(values.canonical)
    # No variable holds a zero byte, and no JSON does.
    return clean.with_hash(b"-".join(shown), b"\0".join(whole))


def _said(value: Optional[bytes]) -> Optional[bytes]:
    """Drop what nobody can have meant."""
    return None if value is None or not value.strip(b" \t\n\v\f\r") else value
