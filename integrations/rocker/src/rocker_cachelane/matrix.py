"""The values of a job's matrix: a JSON object, as `${{ toJSON(matrix) }}` is on GitHub Actions."""

import json
from dataclasses import dataclass
from typing import NoReturn, Optional

# How deep values may lie in one another.
_DEEPEST = 32


class MatrixError(ValueError):
    """Why a matrix cannot be read. `kind` is `json`, `object` or `deep`."""

    def __init__(self, kind: str, message: str) -> None:
        """Keep the kind beside the message."""
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Matrix:
    """The values in the order of their keys, joined, and the object with its keys in order, without blanks."""

    shown: bytes
    canonical: bytes


class _AsWritten(str):
    """A number: `3.10` is a version to those who write it."""

    __slots__ = ()


def read(text: bytes) -> Optional[Matrix]:
    """Read a matrix. `None` for a job that has none (`null`), and where nothing is in it."""
    try:
        value = json.loads(
            text.decode("utf-8"), parse_int=_AsWritten, parse_float=_AsWritten, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise _deep() from None
    except ValueError as error:
        raise MatrixError("json", f"the matrix is no JSON: {error}") from None
    if value is None:
        return None
    if not isinstance(value, dict):
        found = _kind(value)
        raise MatrixError("object", f'the matrix has to be a JSON object, like {{"python": "3.10"}}, and it is {found}')
    values: list[str] = []
    canonical = _canonical(value, values, 0)
    try:
        matrix = Matrix("-".join(values).encode("utf-8"), canonical.encode("utf-8"))
    except UnicodeEncodeError as error:
        # Half a character, written as an escape.
        raise MatrixError("json", f"the matrix is no JSON: {error}") from None
    return None if canonical == "{}" else matrix


def _canonical(value: object, values: list[str], depth: int) -> str:
    if depth > _DEEPEST:
        raise _deep()
    if isinstance(value, dict):
        members = (f"{_quoted(key)}:{_canonical(value[key], values, depth + 1)}" for key in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_canonical(item, values, depth + 1) for item in value) + "]"
    if isinstance(value, str) and not isinstance(value, _AsWritten):
        values.append(value)
        return _quoted(value)
    text = str(value) if isinstance(value, _AsWritten) else json.dumps(value)
    values.append(text)
    return text


def _quoted(text: str) -> str:
    """Write `text` as JSON: quotes, backslashes and control characters escaped, and nothing else."""
    return json.dumps(text, ensure_ascii=False)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "an array"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, _AsWritten) else "a string"


def _deep() -> MatrixError:
    return MatrixError("deep", f"the values of the matrix lie more than {_DEEPEST} deep in one another")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
