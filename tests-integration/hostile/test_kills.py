"""`kill -9` at random moments: what is promised of relays, listeners, locks, runs and the demo holds.

A few kills of each here; `MIST_KILLS=500` makes them five hundred, and kills.py runs one alone.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills and forks, as POSIX does")

KILLS = int(os.environ.get("MIST_KILLS", "0"))


@pytest.mark.parametrize(
    ("scenario", "few"),
    [
        ("relay", 12),
        ("post", 4),
        ("listen", 12),
        ("locks", 60),
        ("steps", 20),
        ("demo", 2),
        # Its round takes five seconds: by hand.
        pytest.param(
            "demo_tools", 1, marks=pytest.mark.skipif(not KILLS, reason="MIST_KILLS is not set")
        ),
    ],
)
def test_what_is_promised_holds_after_any_kill(scenario, few):
    """The harness finds no promise broken, and has killed as often as it was asked to."""
    done = subprocess.run(
        [
            sys.executable,
            Path(__file__).with_name("kills.py"),
            scenario,
            "--rounds",
            str(KILLS or few),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + 10 * KILLS,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] == (KILLS or few)
