"""Progress on a real terminal. The scripts wait for real: a redraw is what is tested."""

import subprocess

import pytest

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def test_bar_shows_count_rate_and_time_and_gives_the_cursor_back(on_terminal):
    """A bar is drawn while work goes on and its last state stays, with the cursor visible."""
    ran = on_terminal("""
import time
from mist.output import progress
with progress(40, "relay") as p:
    for _ in range(40):
        p.advance()
        time.sleep(0.01)
""")
    assert ran.status == 0
    assert "relay" in ran.terminal
    assert "━" in ran.terminal
    assert "40/40 (100%)" in ran.terminal
    assert "/s" in ran.terminal
    assert ran.terminal.count(HIDE) == ran.terminal.count(SHOW) == 1
    assert ran.terminal.endswith(SHOW)


def test_interrupt_ends_the_bar_and_restores_the_cursor(on_terminal):
    """Ctrl-C leaves the bar where it was and a usable terminal."""
    ran = on_terminal(
        """
import time
from mist.output import progress
try:
    with progress(10, "job") as p:
        p.advance(3)
        time.sleep(30)
except KeyboardInterrupt:
    print("interrupted")
""",
        interrupt_at=("3/10",),
    )
    assert ran.terminal.endswith("interrupted\n")
    assert "10/10" not in ran.terminal
    assert ran.terminal.count(HIDE) == ran.terminal.count(SHOW)


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "1 / 0"])
def test_a_bar_that_nobody_closed_gives_the_cursor_back(on_terminal, end):
    """However the program ends, the cursor is visible afterwards."""
    ran = on_terminal(f"from mist.output import progress\np = progress(2, 'x')\n{end}")
    assert ran.terminal.count(HIDE) == 1
    assert ran.terminal.endswith(SHOW)


def test_data_is_written_above_the_bar(on_terminal):
    """JSON lines, tables and prints appear whole while a bar is live, wider than the terminal too."""
    ran = on_terminal(
        """
from mist.output import Writer, progress
with progress(2, "outer") as p, progress(3, "inner") as q:
    Writer().json({"long": "x" * 100})
    Writer("table").error("trouble")
    print("printed")
""",
        columns=60,
    )
    assert ran.status == 0
    assert '{"long":"' + "x" * 100 + '"}\n' in ran.terminal
    assert "trouble\n" in ran.terminal
    assert "printed\n" in ran.terminal
    assert ran.terminal.endswith(SHOW)


def test_stdout_on_a_pipe_keeps_its_data_while_the_bar_is_on_the_terminal(on_terminal):
    """Results that are piped away never end up on the terminal of the bar, nor the bar in them."""
    ran = on_terminal(
        """
from mist.output import Writer, progress
with progress(2, "job") as p:
    Writer().json({"a": 1})
    print("printed")
    p.advance(2)
""",
        stdout=subprocess.PIPE,
    )
    assert ran.stdout == '{"a":1}\nprinted\n'
    assert "printed" not in ran.terminal
    assert "2/2 (100%)" in ran.terminal


def test_bars_of_threads_and_nested_bars_share_the_terminal(on_terminal):
    """Several bars at once are drawn together; inner bars vanish when they are closed."""
    ran = on_terminal(
        """
import signal, threading
from mist.output import progress
drawn = threading.Event()
signal.signal(signal.SIGINT, lambda *_: drawn.set())
def work(name):
    with progress(5, name) as p:
        p.advance(5)
        drawn.wait(30)
with progress(3, "outer") as outer:
    threads = [threading.Thread(target=work, args=(f"inner{n}",)) for n in range(3)]
    for t in threads: t.start()
    for t in threads: t.join(); outer.advance()
""",
        interrupt_at=("inner0", "inner1", "inner2"),
    )
    assert ran.status == 0
    assert ran.terminal.count(HIDE) == ran.terminal.count(SHOW) == 1
    assert all(f"inner{n}" in ran.terminal for n in range(3))
    last = ran.terminal.rpartition("outer")[2]
    assert "3/3 (100%)" in last
    assert "inner" not in last


def test_a_dumb_terminal_gets_plain_lines(on_terminal):
    """TERM=dumb is not sent control sequences."""
    ran = on_terminal("from mist.output import progress; progress(1, 'x').close()", TERM="dumb")
    assert ran.terminal.startswith("x: 0/1 (0%) in 0:00")
    assert "\x1b" not in ran.terminal


def test_no_color_keeps_the_bar_and_drops_its_colours(on_terminal):
    """With NO_COLOR only the cursor is controlled."""
    script = "from mist.output import progress\nwith progress(1, 'x') as p: p.advance()"
    coloured, plain = on_terminal(script), on_terminal(script, NO_COLOR="1")
    assert "\x1b[36m" in coloured.terminal
    assert "\x1b[36m" not in plain.terminal
    assert "1/1 (100%)" in plain.terminal


def test_a_narrow_terminal_keeps_the_bar_on_one_line(on_terminal):
    """The count survives where label, bar and rate do not all fit; the line never wraps."""
    ran = on_terminal(
        "from mist.output import progress\n"
        "with progress(1000, 'a label that is long ' * 3) as p: p.advance(1000)",
        columns=30,
        NO_COLOR="1",
    )
    assert "1000/1000 (100%)" in ran.terminal
    assert "\x1b[1A" not in ran.terminal


def test_unknown_total_shows_count_and_ends_complete(on_terminal):
    """Without a total the bar pulses beside the count."""
    ran = on_terminal("""
import time
from mist.output import progress
with progress(label="read") as p:
    p.advance(7)
    time.sleep(0.3)
""")
    assert " 7 " in ran.terminal.replace("\x1b[36m7\x1b[0m", " 7 ")
    assert "7/7 (100%)" in ran.terminal


def test_a_terminal_without_unicode_gets_an_ascii_bar(on_terminal):
    """A terminal in an old encoding shows the bar in what it has."""
    ran = on_terminal(
        "from mist.output import progress\nwith progress(2, 'é' * 90) as p: p.advance(2)",
        PYTHONIOENCODING="ascii",
    )
    assert ran.status == 0
    assert ran.terminal.isascii()
    assert "2/2 (100%)" in ran.terminal


def test_writing_while_bars_come_and_go_in_threads(on_terminal):
    """Lines written by one thread stay whole while others open and close bars; no bar comes back."""
    ran = on_terminal("""
import threading
from mist.output import Writer, progress
def bars():
    for _ in range(20):
        with progress(1, "bar") as p:
            p.advance()
threads = [threading.Thread(target=bars) for _ in range(3)]
for t in threads: t.start()
for n in range(40): Writer().json({"n": n})
for t in threads: t.join()
""")
    assert ran.status == 0
    assert all(f'{{"n":{n}}}\n' in ran.terminal for n in range(40))
    assert ran.terminal.count(HIDE) == ran.terminal.count(SHOW)
    assert ran.terminal.endswith(SHOW)


def test_a_terminal_that_goes_away_does_not_end_the_work(on_pipes):
    """The work is done even if nobody can see the bar any more."""
    pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    ran = on_pipes("""
import os, pty, time
from mist.output import progress
ours, theirs = pty.openpty()
terminal = os.fdopen(theirs, "w")
with progress(2, "job", stream=terminal) as p:
    os.close(ours)
    time.sleep(0.3)
    p.advance(2)
with progress(1, "next", stream=terminal) as q:
    q.advance()
print("done", p.done + q.done, flush=True)
os._exit(0)
""")
    assert ran.stdout == "done 3\n"


def test_a_forked_child_leaves_the_bar_to_its_parent(on_terminal):
    """The child counts on and prints; neither that nor its end draws, or gives back the cursor."""
    ran = on_terminal("""
import os, sys, warnings
warnings.simplefilter("ignore")  # Python does not like a fork beside the thread that draws
from mist.output import progress
with progress(10, "job") as p:
    p.advance(2)
    child = os.fork()
    if child == 0:
        p.advance(5)
        print("child:", p.done)
        sys.exit(3)
    _, status = os.waitpid(child, 0)
    p.advance(8)
print("status:", os.waitstatus_to_exitcode(status))
""")
    assert "child: 7\n" in ran.terminal
    assert "7/10" not in ran.terminal
    assert "10/10 (100%)" in ran.terminal
    assert ran.terminal.endswith("status: 3\n")
    assert ran.terminal.count(HIDE) == ran.terminal.count(SHOW) == 1
