"""Ids."""

import os

import pytest

from mist.trace import valid_id


def test_ids_are_valid_as_mist_go_has_it(golden):
    """The verdict on every id is that of mist-go."""
    records = [record for record in golden if "id" in record]
    assert len(records) == 5
    for record in records:
        assert valid_id(record["id"]) is record["valid"], record


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("x" * 256, True),
        ("x" * 257, False),
        ("~ !", True),
        ("\x7f", False),
        ("é", False),
        (None, False),
        (b"x", False),
    ],
)
def test_the_limits_of_an_id(value, valid):
    """An id is 1 to 256 printable ASCII characters."""
    assert valid_id(value) is valid


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_makes_other_ids(run):
    """Parent and children of a fork do not go on with the same ids."""
    script = """
import os
from mist.trace import new_id
new_id()
for _ in range(2):
    if os.fork() == 0:
        print(new_id(), flush=True)
        os._exit(0)
    os.wait()
print(new_id())
"""
    ids = run(script).stdout.split()
    assert len(ids) == 3
    assert len(set(ids)) == 3
