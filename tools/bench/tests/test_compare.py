"""What has become worse since an earlier run is found, and noise is not."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tools.bench.__main__ import main
from tools.bench.record import Record, RecordError
from tools.bench.regression import Verdict, changes, report
from tools.bench.result import Result
from tools.bench.row import Comparison, Unit, at_least, at_most
from tools.workspace import ROOT


def result(ratios, target=None, *, name="row", against="the peer", unit=Unit.SECONDS):
    """Give a result whose rounds had these costs, as multiples of the peer's."""
    row = Comparison(
        group="fake",
        name=name,
        target=target or at_most(2),
        against=against,
        peers=("pytest",),
        unit=unit,
    )
    return Result.of(row, [(ratio, 1.0) for ratio in ratios])


def record(*results, python="3.11.7"):
    """Give a record of results."""
    return Record(python, "Linux x86_64", 2, {"pytest": "8"}, results)


def verdict(before, after, known=()):
    """Tell what is said of one row."""
    (change,) = changes(record(*before), record(*after), known)
    return change.verdict


STEADY = [1.0] * 5
SPREAD = [0.8, 0.9, 1.0, 1.1, 1.2]  # quartiles 0.85 and 1.15: a noise of 15%


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (STEADY, [1.04] * 5, Verdict.SAME),
        (STEADY, [1.06] * 5, Verdict.WORSE),
        (STEADY, [0.94] * 5, Verdict.BETTER),
        (SPREAD, [1.25] * 5, Verdict.SAME),
        (SPREAD, [1.35] * 5, Verdict.WORSE),
        (STEADY, [1.25 * ratio for ratio in SPREAD], Verdict.SAME),
        (SPREAD, [1.55 * ratio for ratio in SPREAD], Verdict.SAME),
        (SPREAD, [1.65 * ratio for ratio in SPREAD], Verdict.WORSE),
    ],
)
def test_a_change_counts_where_both_runs_noise_does_not_explain_it(before, after, said):
    """Beyond twice what the rounds of both runs are apart, and beyond a twentieth."""
    assert verdict([result(before)], [result(after)]) is said


def test_worse_is_less_where_speed_is_asked_for():
    """A ratio of speed, and one of messages per second, gets worse by falling."""
    fast, slow = [0.1] * 5, [0.2] * 5
    asked = at_least(2)
    assert verdict([result(fast, asked)], [result(slow, asked)]) is Verdict.WORSE
    assert verdict([result(slow, asked)], [result(fast, asked)]) is Verdict.BETTER
    rate = {"unit": Unit.PER_SECOND}
    assert verdict([result(fast, asked, **rate)], [result(slow, asked, **rate)]) is Verdict.BETTER


def test_a_lower_bar_is_no_excuse():
    """A target that moved changes nothing: ratio is held against ratio."""
    assert verdict([result(STEADY)], [result([2.0] * 5, at_most(3))]) is Verdict.WORSE


def test_rows_come_and_go():
    """New and gone ones are named; one that was only not chosen now is neither."""
    one, other = result(STEADY, name="one"), result(STEADY, name="other")
    assert verdict([], [one]) is Verdict.NEW
    assert verdict([one], []) is Verdict.GONE
    assert changes(record(one, other), record(one), {"fake: one", "fake: other"}) == changes(
        record(one), record(one), ()
    )
    assert verdict([one], [result(STEADY, name="one", against="another")]) is Verdict.NEW
    lacking = Result(row=one.row, rounds=[], note="no peer")
    assert verdict([one], [lacking]) is Verdict.NOT_RUN
    assert verdict([lacking], [one]) is Verdict.NEW


def test_the_report_names_what_changed_and_what_it_ran_on():
    """The worst first, each with both ratios and what would mean nothing."""
    old = record(result(STEADY, name="a"), result(STEADY, name="b"), result(STEADY, name="c"))
    new = record(
        result([1.1] * 5, name="a"),
        result([1.5] * 5, name="b"),
        result(STEADY, name="d"),
        python="3.12.1",
    )
    assert report(changes(old, new, ()), old, new).splitlines() == [
        "WORSE     fake: b: 1.00x -> 1.50x (-33%; 5% mean nothing)",
        "WORSE     fake: a: 1.00x -> 1.10x (-9%; 5% mean nothing)",
        "new       fake: d: 1.00x",
        "gone      fake: c",
        "Python was 3.11.7, and is 3.12.1 now",
        "0 rows as before, 2 worse, of 4",
    ]


def test_a_record_survives_its_file(tmp_path):
    """What was written is what is read, rows without figures included."""
    lacking = Result(row=result(STEADY, name="none").row, rounds=[], note="no peer", broken=True)
    written = record(result(SPREAD), lacking)
    path = tmp_path / "bench.json"
    path.write_text(written.text())
    assert Record.load(path) == Record(
        "3.11.7", "Linux x86_64", 2, {"pytest": "8"}, [*written.results]
    )
    assert [row["what"] for row in json.loads(path.read_text())["rows"]] == ["row", "none"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"python": 1', '{"rows": [{}]}'])
def test_a_file_that_is_no_record_is_named(tmp_path, capsys, text):
    """The command says which file, and measures nothing."""
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(RecordError, match=r"bench\.json is not what 'hatch run bench --json'"):
        Record.load(path)
    assert main(["--compare", str(path), "--list"]) == 1
    assert str(path) in capsys.readouterr().err


ROWS = """\
import time
from tools.bench.row import Rows, Unit, at_most

ROWS = Rows("fake")

@ROWS.rounds("quick", at_most(2), against="the peer", unit=Unit.SECONDS)
def quick():
    while True:
        yield {ratio}, 1.0
"""
ENDLESS = """
@ROWS.rounds("endless", at_most(2), against="the peer", unit=Unit.SECONDS)
def endless():
    while True:
        time.sleep(60)
        yield 1.0, 1.0

@ROWS.rounds("never", at_most(2), against="the peer", unit=Unit.SECONDS)
def never():
    yield 1.0, 1.0
"""


def test_the_command_fails_where_something_became_worse(tmp_path, capsys):
    """Status 1 and a line for the row; against itself nothing changed."""
    rows, old, new = tmp_path / "rows", tmp_path / "old.json", tmp_path / "new.json"
    rows.mkdir()
    (rows / "fake.py").write_text(ROWS.format(ratio=1.0))
    assert main(["--rows", str(rows), "--json", str(old)]) == 0
    assert main(["--rows", str(rows), "--compare", str(old)]) == 0
    assert "1 rows as before, 0 worse, of 1" in capsys.readouterr().out
    (rows / "fake.py").write_text(ROWS.format(ratio=1.5))
    assert main(["--rows", str(rows), "--compare", str(old), "--json", str(new)]) == 1
    assert "WORSE     fake: quick: 1.00x -> 1.50x" in capsys.readouterr().out
    assert main(["--from", str(new), "--compare", str(old)]) == 1
    assert main(["--from", str(old), "--compare", str(new)]) == 0


def test_a_record_is_drawn_without_measuring(tmp_path):
    """--from reads what --json wrote, and --chart draws it."""
    rows, old, svg = tmp_path / "rows", tmp_path / "old.json", tmp_path / "chart.svg"
    rows.mkdir()
    (rows / "fake.py").write_text(ROWS.format(ratio=1.0))
    assert main(["--rows", str(rows), "--json", str(old), "--chart", str(svg)]) == 0
    drawn = svg.read_text()
    svg.unlink()
    (rows / "fake.py").write_text(ROWS.format(ratio=7.0))
    assert main(["--rows", str(rows), "--from", str(old), "--chart", str(svg)]) == 0
    assert svg.read_text() == drawn


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as POSIX has them")
def test_ctrl_c_ends_with_what_was_measured(tmp_path):
    """The table and the JSON hold the rows that were done, and the status is 130."""
    rows, path = tmp_path / "rows", tmp_path / "bench.json"
    rows.mkdir()
    (rows / "fake.py").write_text(ROWS.format(ratio=1.0) + ENDLESS)
    command = [sys.executable, "-m", "tools.bench", "--rows", rows, "--json", path]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        told = ""
        while "[2/3]" not in told:  # the line of a row ends when the row does
            told += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "fake: quick" in out
    assert "fake: endless" not in out
    assert "interrupted: 1 of 3 rows measured" in err
    assert [row["what"] for row in json.loads(path.read_text())["rows"]] == ["quick"]
