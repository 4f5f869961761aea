"""Readers of strangers' data hold what they promise for inputs that are nearly right.

The fuzzer's targets, without the fuzzer: the same few hundred damaged seeds each time, on any
system. `hatch run fuzz` searches for worse.
"""

import random
import time

import pytest

from tools.fuzz.engine import run_check
from tools.fuzz.target import Target, names

SEEDS, ROUNDS, SECONDS = 200, 400, 3.0


def damaged(seed, others, tokens, dice):
    """Change some bytes, or cut, double, move and mix some parts, or put tokens in."""
    data = bytearray(seed)
    for _ in range(dice.randint(1, 4)):
        at, to = sorted(dice.randint(0, len(data)) for _ in range(2))
        match dice.randrange(6):
            case 0 if data:
                data[min(at, len(data) - 1)] = dice.randrange(256)
            case 1:
                del data[at:to]
            case 2:
                data[at:at] = data[at:to] * dice.choice((1, 2, 50))
            case 3 if tokens:
                data[at:to] = dice.choice(tokens).encode("utf-8", "surrogatepass")
            case 4:
                other = dice.choice(others)
                data[at:to] = other[dice.randint(0, len(other)) :]
            case _:
                data[at:at] = bytes(dice.choice((b"\0", b"\xff", b"\n", b"9", b"["))) * 20
    return bytes(data[:8192])


@pytest.mark.parametrize("name", names())
def test_damaged_inputs_break_no_invariant(name):
    """What a target states in its docstring holds for all of them."""
    target, dice = Target.load(name), random.Random(name)
    seeds = list(target.seeds())[:SEEDS]
    end = time.monotonic() + SECONDS
    for number in range(ROUNDS):
        data = damaged(dice.choice(seeds), seeds, target.tokens, dice)
        try:
            run_check(target, data)
        except BaseException as exc:
            exc.add_note(f"input {number} of {name}: {data!r}")
            raise
        if time.monotonic() > end:
            break
