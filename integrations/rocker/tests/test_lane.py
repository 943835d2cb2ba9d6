"""The lane is the one that `cachelane id` finds."""

import json
import random
import subprocess

import pytest
from conftest import lane_cases

from rocker_cachelane.clean import LONGEST, is_lane
from rocker_cachelane.extension import printable
from rocker_cachelane.lane import lane
from rocker_cachelane.matrix import MatrixError
from rocker_cachelane.table import CIS

TABLE = lane_cases()


def of(case):
    def as_bytes(text):
        return None if text is None else text.encode()

    env = {name.encode(): value.encode() for name, value in case["env"].items()}
    return lane(env, as_bytes(case.get("argument")), as_bytes(case.get("matrix")))


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["note"])
def test_every_case_of_the_table(case):
    found = of(case)
    assert (found.name, found.source) == (case["lane"], case["source"])
    assert is_lane(found.name.encode())


@pytest.mark.parametrize("case", TABLE["errors"], ids=lambda case: case["note"])
def test_every_error_of_the_table(case):
    with pytest.raises(MatrixError) as error:
        of(case)
    assert error.value.kind == case["error"]


def test_the_table_has_every_ci():
    assert {ci.name for ci in CIS} <= {case["source"] for case in TABLE["cases"]}


@pytest.mark.parametrize("deep", ['{"a":' + "[" * 500_000 + "]" * 500_000 + "}", '{"a":' + "[" * 500 + "]" * 500 + "}"])
def test_a_deep_matrix_is_refused(deep):
    with pytest.raises(MatrixError) as error:
        lane({}, typed_matrix=deep.encode())
    assert error.value.kind == "deep"


def test_what_is_no_text_is_cleaned_or_refused():
    assert lane({b"CACHE_ID": b"py\xff310"}).name.startswith("py-310-")
    with pytest.raises(MatrixError):
        lane({b"CACHELANE_MATRIX": b'{"a":"\xff"}'})


def anything(chance):
    """Text of the kinds that lanes are made of."""
    alphabet = chance.choice(["aZ0_.-", "ab- /.", "a-", "äé \t,'\"${}", "py310"])
    return "".join(chance.choices(alphabet, k=chance.choice([1, 2, 5, 9, 54, 55, 56, 63, 64, 65, 90])))


def any_matrix(chance, depth=0):
    values = [anything(chance), chance.random(), chance.randrange(-99, 99), True, None, [], {}]
    if depth < 3:
        values += [[any_matrix(chance, depth + 1)], any_matrix(chance, depth + 1)]
    return {anything(chance): chance.choice(values) for _ in range(chance.randrange(4))}


def any_case(chance):
    """Somebody's job."""
    kinds = {
        "argument": lambda: {"argument": anything(chance), "env": {}},
        "matrix": lambda: {"matrix": json.dumps(any_matrix(chance)), "env": {}},
        "environment": lambda: {"env": {"CACHE_ID": anything(chance), "ROCKER_CACHE_ID": anything(chance)}},
    }
    kind = chance.choice([*kinds, "table", "table", "table"])
    if kind != "table":
        return kinds[kind]()
    # Of a case of the table, some variables are missing, or hold something else.
    env = dict(chance.choice(TABLE["cases"])["env"])
    for name in list(env):
        if chance.random() < 0.2:
            del env[name]
        elif chance.random() < 0.2:
            env[name] = anything(chance)
    return {"matrix": chance.choice([None, json.dumps(any_matrix(chance))]), "env": env}


def test_the_same_as_cachelane_id(cachelane):
    chance = random.Random(20)
    for _ in range(300):
        case = any_case(chance)
        command = [cachelane, "id"]
        if case.get("matrix") is not None:
            command.append("--matrix=" + case["matrix"])
        if case.get("argument") is not None:
            command += ["--", case["argument"]]
        printed = subprocess.run(command, env=case["env"], capture_output=True, check=False)
        try:
            found = of(case)
        except MatrixError:
            assert printed.returncode == 2, case
            continue
        assert printed.stdout.decode().rstrip("\n") == found.name, (case, printed.stderr)
        assert len(found.name) <= LONGEST
        for note in found.notes:
            assert printable(note) in printed.stderr.decode(), case
