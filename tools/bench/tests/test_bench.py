"""The harness finds known ratios, and says which targets they meet."""

import asyncio
import json

import pytest

from tools.bench.__main__ import main
from tools.bench.catalogue import CatalogueError, catalogue, select
from tools.bench.measure import Plan
from tools.bench.pair import AsyncPair, Pair
from tools.bench.result import Result
from tools.bench.row import Rows, Unit, at_least, at_most
from tools.bench.table import figure

PLAN = Plan(rounds=7, sample=0.001)


class Clock:
    """Time that passes only when work is done, so that ratios are exact."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Tell the time."""
        return self.now

    def work(self, seconds):
        """Let time pass."""
        self.now += seconds


def only(rows):
    """Give the one row of some rows."""
    (row,) = rows.rows
    return row


def synthetic(target, clock, ours, peer, per_call=1):
    """Give a row whose sides take known times."""
    rows = Rows("synthetic")

    @rows.calls("known", target, against="the peer", per_call=per_call, clock=clock)
    def known():
        yield Pair(ours=lambda: clock.work(ours), peer=lambda: clock.work(peer))

    return only(rows)


@pytest.mark.parametrize(
    ("target", "ratio", "met"),
    [
        (at_most(3), 3, True),
        (at_most(2.9), 3, False),
        (at_least(0.3), 1 / 3, True),
        (at_least(0.4), 1 / 3, False),
    ],
)
def test_a_known_ratio_is_found(target, ratio, met):
    """Three times the time is 3x the cost and a third of the speed."""
    row = synthetic(target, Clock(), 0.003, 0.001)
    result = Result.of(row, row.measure(PLAN))
    assert result.ratio == pytest.approx(ratio)
    assert result.noise == pytest.approx(0)
    assert result.met is met
    assert (result.ours, result.peer) == pytest.approx((0.003, 0.001))


def test_figures_are_for_one_of_the_things_a_call_does():
    """A call that does a thousand things is divided by a thousand."""
    row = synthetic(at_most(1), Clock(), 1.0, 1.0, per_call=1000)
    assert Result.of(row, row.measure(PLAN)).ours == pytest.approx(0.001)


def test_each_side_is_called_as_often_as_a_sample_needs():
    """A fast side gets more calls than a slow one, so that both samples last long enough."""
    clock, calls = Clock(), {"ours": 0, "peer": 0}
    rows = Rows("synthetic")

    def side(name, seconds):
        calls[name] += 1
        clock.work(seconds)

    @rows.calls("loops", at_most(20), against="a short loop", clock=clock)
    def loops():
        yield Pair(ours=lambda: side("ours", 0.01), peer=lambda: side("peer", 0.001))

    row = only(rows)
    result = Result.of(row, row.measure(Plan(rounds=10, sample=0.02)))
    assert result.ratio == pytest.approx(10)
    assert calls["ours"] >= 10 * 2
    assert calls["peer"] >= 10 * 20


def test_sides_take_turns_and_share_one_setup():
    """Setup comes first, teardown last, and each round alternates who begins."""
    clock, order = Clock(), []
    rows = Rows("synthetic")

    def side(name):
        order.append(name)
        clock.work(1)

    @rows.calls("turns", at_most(1), against="the peer", clock=clock)
    def turns():
        order.append("set up")
        yield Pair(ours=lambda: side("ours"), peer=lambda: side("peer"))
        order.append("torn down")

    only(rows).measure(Plan(rounds=3, sample=0.5))
    calibration, rounds = order[1:3], order[3:-1]
    assert (order[0], calibration, order[-1]) == ("set up", ["ours", "peer"], "torn down")
    assert rounds == ["ours", "peer", "peer", "ours", "ours", "peer"]


def test_coroutines_share_one_event_loop():
    """Setup, both sides and teardown of an asynchronous row run in the same loop."""
    clock, loops = Clock(), []
    rows = Rows("synthetic")

    async def side(seconds):
        loops.append(asyncio.get_running_loop())
        clock.work(seconds)

    @rows.awaits("coroutines", at_most(2), against="the peer", clock=clock)
    async def coroutines():
        loops.append(asyncio.get_running_loop())
        yield AsyncPair(ours=lambda: side(0.002), peer=lambda: side(0.001))
        loops.append(asyncio.get_running_loop())

    row = only(rows)
    assert Result.of(row, row.measure(PLAN)).ratio == pytest.approx(2)
    assert len(set(loops)) == 1


def test_a_row_that_measures_itself_is_closed():
    """The harness takes the rounds it wants, and the generator tears down."""
    closed = []
    rows = Rows("synthetic")

    @rows.rounds("rates", at_least(6), against="the peer", unit=Unit.PER_SECOND, rounds=4)
    def rates():
        try:
            while True:
                yield 6000.0, 1000.0
        finally:
            closed.append(True)

    result = Result.of(only(rows), only(rows).measure(PLAN))
    assert (len(result.rounds), result.ratio, result.met, closed) == (4, 6.0, True, [True])
    assert len(only(rows).measure(Plan.quick())) == 3


def test_one_wild_round_does_not_move_the_ratio():
    """The ratio is a median: a stall of the machine in one round is noise."""
    row = synthetic(at_most(2), Clock(), 1, 1)
    result = Result.of(row, [(2.0, 1.0)] * 6 + [(90.0, 1.0)])
    assert (result.ratio, result.noise) == (2.0, 0.0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234e-7, Unit.SECONDS, "123 ns"),
        (0.0123, Unit.SECONDS, "12.3 ms"),
        (12.0, Unit.SECONDS, "12 s"),
        (76_000, Unit.PER_SECOND, "76 k/s"),
        (2_500_000, Unit.BYTES, "2.5 MB"),
        (0, Unit.BYTES, "0 B"),
    ],
)
def test_figures_are_short(value, unit, text):
    """Three digits and a prefix."""
    assert figure(value, unit) == text


FILE = """\
from tools.bench.pair import Pair
from tools.bench.row import Rows, Unit, at_most

ROWS = Rows("fake")

@ROWS.rounds("good", at_most(2), against="the peer", unit=Unit.SECONDS, peers=["pytest"])
def good():
    while True:
        yield 1.0, 1.0

@ROWS.rounds("slow", at_most(2), against="the peer", unit=Unit.SECONDS)
def slow():
    while True:
        yield 3.0, 1.0
"""


@pytest.fixture
def bench(tmp_path):
    """The command on a directory with one file of rows, `FILE` and what a test appends."""

    def run(*argv, more=""):
        (tmp_path / "fake.py").write_text(FILE + more)
        return main(["--rows", str(tmp_path), *argv])

    return run


def test_a_missed_target_is_shown_and_fails_only_when_strict(bench, capsys):
    """NO in the table, status 0; --strict makes it 1."""
    assert bench() == 0
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["what", "ours", "peer", "ratio", "noise", "target", "met", "against"]
    assert lines[2] == [
        "fake:",
        "good",
        "1",
        "s",
        "1",
        "s",
        "1.00x",
        "0%",
        "<=",
        "2x",
        "yes",
        "the",
        "peer",
    ]
    assert lines[3] == [
        "fake:",
        "slow",
        "3",
        "s",
        "1",
        "s",
        "3.00x",
        "0%",
        "<=",
        "2x",
        "NO",
        "the",
        "peer",
    ]
    assert "[2/2] fake: slow ... 3.00x, wanted <= 2x: NO" in err
    assert bench("--strict") == 1
    assert bench("--strict", "good") == 0


def test_the_results_as_json(bench, tmp_path):
    """The same as the table for other programs, with the versions of the peers."""
    path = tmp_path / "bench.json"
    assert bench("--json", str(path)) == 0
    document = json.loads(path.read_text())
    assert document["peers"] == {"pytest": pytest.__version__}
    assert [(row["what"], row["ratio"], row["met"]) for row in document["rows"]] == [
        ("good", 1.0, True),
        ("slow", 3.0, False),
    ]


def test_a_row_that_lacks_something_to_import_is_not_run(bench, capsys):
    """The table says what is missing and the others are measured; strict means all."""
    lacking = """
@ROWS.calls("lacking", at_most(1), against="a stranger")
def lacking():
    import no_such_peer
    yield Pair(ours=no_such_peer.f, peer=no_such_peer.f)
"""
    assert bench("good", "lacking", more=lacking) == 0
    out = capsys.readouterr().out
    assert "not run  No module named 'no_such_peer'" in out
    assert "yes      the peer" in out
    assert bench("lacking", "--strict", more=lacking) == 1


def test_a_broken_row_fails_and_spares_the_others(bench, capsys):
    """An error in a row's own code is status 1, named in the table, with its traceback."""
    broken = """
@ROWS.calls("broken", at_most(1), against="the peer")
def broken():
    yield Pair(ours=lambda: 1 / 0, peer=lambda: 1)
"""
    assert bench(more=broken) == 1
    out, err = capsys.readouterr()
    assert "BROKEN  ZeroDivisionError: division by zero" in out
    assert "Traceback" in err
    assert "fake: good" in out


def test_rows_can_be_listed_and_chosen(bench, capsys):
    """By group or by a part of the title; a name that fits nothing is an error."""
    assert bench("--list") == 0
    assert capsys.readouterr().out == "fake: good\nfake: slow\n"
    assert bench("--list", "SLOW") == 0
    assert capsys.readouterr().out == "fake: slow\n"
    assert bench("nothing") == 1
    assert capsys.readouterr().err == ("no row is called 'nothing'; there are the groups fake\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'has no `ROWS = Rows("bad")`'),
        (
            FILE.replace('"slow"', '"good"'),
            "there are two rows called 'fake: good'",
        ),
    ],
)
def test_a_file_that_declares_rows_wrongly(tmp_path, text, message):
    """Forgotten or ambiguous rows are named with their file."""
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(CatalogueError) as raised:
        catalogue(tmp_path)
    assert message in str(raised.value)
    assert "bad.py" in str(raised.value)


def test_the_repository_has_a_start_up_and_an_import_row():
    """The rows every package is held to are found by listing the directory."""
    titles = {row.title for row in select(catalogue(), ["cli", "imports"])}
    assert "cli: start-up of a trivial App" in titles
    assert "imports: import mist.protocol" in titles
