"""Counts are stable, and what grew beyond its tolerance fails."""

import pytest

from tools.instructions import __main__ as command
from tools.instructions.baseline import Baseline, load, save, this_build, this_python
from tools.instructions.callgrind import CountError, per_walk, read_total, why_not
from tools.instructions.paths import PATHS


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
def test_two_counts_agree():
    """The same path takes the same instructions twice, to a tenth of a percent."""
    first, second = per_walk("counter"), per_walk("counter")
    assert second == pytest.approx(first, rel=0.001)
    assert 100 < first < 10_000  # of one walk: neither the start of Python nor an empty loop


@pytest.mark.parametrize("path", PATHS)
def test_every_path_can_be_walked(path):
    """It ends by itself, and waits for nothing."""
    PATHS[path](3)


def test_callgrinds_total_is_found():
    """In the line that sums up, wherever it is."""
    assert read_total("events: Ir\nfn=(1) main\n12 34\ntotals: 123456\n") == 123456
    with pytest.raises(CountError):
        read_total("events: Ir\n")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The command, where every path takes what a test says, with a baseline of its own."""
    path = tmp_path / "baseline.toml"

    def run(count, *argv, why="", baseline=None):
        if baseline is not None:
            save({this_python(): baseline}, path)
        monkeypatch.setattr(command, "why_not", lambda: why)
        monkeypatch.setattr(command, "per_walk", lambda _: count)
        return command.main(["counter", "--baseline", str(path), *argv])

    run.path = path
    return run


@pytest.mark.parametrize(
    ("build", "count", "word"),
    [
        (this_build(), 1000, "same"),
        (this_build(), 1009, "same"),
        (this_build(), 1011, "GREW"),
        (this_build(), 980, "less"),
        ("another one", 1090, "same"),
        ("another one", 1110, "GREW"),
    ],
)
def test_a_path_may_grow_by_its_tolerance(run, capsys, build, count, word):
    """One percent on the build of the baseline, ten on another one."""
    grew = word == "GREW"
    assert run(count, baseline=Baseline(build, {"counter": 1000})) == int(grew)
    out = capsys.readouterr().out
    assert word in out
    assert ("more instructions than agreed on" in out) == grew
    assert ("another build: another one" in out) == (build == "another one")


def test_a_baseline_is_renewed_for_this_python_alone(run):
    """The other paths and the other Pythons stay as they are, and what is no path goes."""
    other = Baseline("old", {"counter": 5})
    mine = Baseline("old", {"envelope": 7, "gone": 9})
    save({"CPython 2.7": other, this_python(): mine}, run.path)
    assert run(1234.4, "--renew") == 0
    assert load(run.path) == {
        "CPython 2.7": other,
        this_python(): Baseline(this_build(), {"envelope": 7, "counter": 1234}),
    }


def test_without_a_baseline_counts_are_only_shown(run, capsys):
    """Nothing was agreed on, so nothing fails."""
    assert run(1000) == 0
    assert "no baseline" in capsys.readouterr().out


def test_where_nothing_can_be_counted_the_reason_is_told(run, capsys):
    """Without valgrind the command skips, and says what it lacks."""
    assert run(1000, why="valgrind is not installed here") == 0
    assert capsys.readouterr().out == "skipped: valgrind is not installed here\n"


def test_an_unknown_path_is_refused(capsys):
    """With the names there are."""
    with pytest.raises(SystemExit):
        command.main(["nothing"])
    assert "there is no path 'nothing'; there are envelope, counter" in capsys.readouterr().err
