"""How a real process ends: exit statuses, signals, closed pipes, full disks."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")


def _until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


@pytest.mark.parametrize("command", ["fails", "fails-async"])
@pytest.mark.parametrize(
    ("how", "status", "line"),
    [
        ("mist", 3, "tool: not_found: no such; task: gone\n"),
        ("value", 1, "tool: internal: ValueError: bad \\x1b[31mvalue (--debug shows where)\n"),
        ("timeout", 5, "tool: timeout: TimeoutError\n"),
        ("exit3", 3, ""),
        ("exit256", 1, ""),
        ("exittext", 1, "tool: internal: cannot go on\n"),
        ("exitlist", 1, "tool: internal: ['odd']\n"),
        ("untold", 1, "tool: internal: Untold (its text or code raised RuntimeError)\n"),
        ("untold-cause", 1, "tool: internal: MistError (its text or code raised RuntimeError)\n"),
        ("group", 4, "tool: auth: no; timeout: late\n"),
        ("single", 4, "tool: auth: no\n"),
    ],
)
def test_an_exception_becomes_one_line_and_its_codes_status(call, command, how, status, line):
    """Sync or async, an exception is one printable line on stderr and an honest status."""
    assert call(command, how) == (status, "", line)


@pytest.mark.parametrize("words", [("--json", "fails", "mist"), ("fails", "mist", "--json")])
def test_json_errors_are_the_wire_form(call, words):
    """With --json, on either side of the command, the line is the error's wire form."""
    status, out, err = call(*words)
    assert (status, out, err.count("\n")) == (3, "", 1)
    assert json.loads(err) == {
        "code": "not_found",
        "message": "no such\ntask",
        "meta": {"k": "v"},
        "cause": "gone",
    }


@pytest.mark.parametrize(("how", "meta"), [("objects", {"path": "x"}), ("nan", {"score": "nan"})])
def test_a_json_error_is_json_whatever_its_meta(call, how, meta):
    """What JSON has no form for is there as text."""
    status, _, err = call("fails", how, "--json")
    expected = {"code": "not_found", "message": "no such", "meta": meta}
    assert (status, json.loads(err, parse_constant=pytest.fail)) == (3, expected)


def test_a_wrong_command_line_is_json_too(call):
    """--json counts even on a line that is not understood, and so does its variable."""
    expected = {
        "code": "validation",
        "message": "unknown flag --nme; 'tool waits --help' lists them",
    }
    status, _, err = call("waits", "--nme", "--json")
    assert (status, json.loads(err)) == (2, expected)
    status, _, err = call("waits", "--nme", TOOL_JSON="1")
    assert (status, json.loads(err)) == (2, expected)


@pytest.mark.parametrize(
    ("words", "env"),
    [(("--debug",), {}), ((), {"MIST_DEBUG": "1"}), ((), {"TOOL_DEBUG": "yes"})],
)
def test_the_traceback_is_for_those_who_ask(call, words, env):
    """--debug and its variables show the traceback, and the line still comes last."""
    status, _, err = call("fails", "value", *words, **env)
    assert status == 1
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("tool: internal: ValueError")
    assert "Traceback" not in call("fails", "value")[2]


@posix
@pytest.mark.parametrize("command", ["waits", "waits-async"])
@pytest.mark.parametrize(
    ("signum", "status", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (getattr(signal, "SIGHUP", signal.SIGTERM), 129, "terminated"),
    ],
)
def test_signals_unwind_and_give_their_status(start, command, signum, status, word):
    """Ctrl-C, SIGTERM and SIGHUP run the finally blocks and end with 128 + the signal."""
    process = start(command)
    _until_ready(process)
    process.send_signal(signum)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (status, "cleaned up\n", f"tool: cancelled: {word}\n")


@posix
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_wakes_a_loop_that_it_did_not_interrupt(start, name, status):
    """A signal that the system hands to another thread ends a waiting coroutine at once."""
    process = start("struck-elsewhere", name)
    process.communicate(timeout=15)
    assert process.returncode == status


@posix
@pytest.mark.parametrize("command", ["struck-in-destructor", "struck-where-threads-start-slowly"])
@pytest.mark.parametrize(
    ("name", "status", "word"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "terminated")]
)
def test_a_signal_is_not_lost_where_python_drops_exceptions(start, command, name, status, word):
    """A signal that strikes in a destructor, whose exceptions Python drops, ends the program."""
    process = start(command, name)
    _, err = process.communicate(timeout=25)
    assert (process.returncode, err) == (status, f"tool: cancelled: {word}\n")


@posix
def test_debug_shows_where_a_signal_struck(start):
    """With --debug, Ctrl-C tells what the program was waiting for."""
    process = start("waits", "--debug")
    _until_ready(process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert ", in waits\n" in err
    assert err.endswith("tool: cancelled: interrupted\n")


@posix
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_a_clean_up_that_hangs(start, signum, status):
    """A coroutine that will not end after the first signal ends at the second one."""
    process = start("lingers")
    _until_ready(process)
    process.send_signal(signum)
    assert process.stdout.readline() == "lingering\n"
    process.send_signal(signum)
    _, err = process.communicate(timeout=20)
    assert process.returncode == status
    assert err.count("\n") == 1


@posix
def test_a_command_that_drains_on_cancellation_has_its_own_status(start):
    """A coroutine that takes a signal as the order to finish decides the status itself."""
    process = start("absorbs")
    _until_ready(process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "drained\n", "")


@posix
@pytest.mark.parametrize("command", ["many", "many-tasks", "past-stdout"])
@pytest.mark.parametrize("unbuffered", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_closed_pipe_is_silent(start, command, unbuffered):
    """When the reader goes away the program ends as any filter does, without a word."""
    process = start(command, **unbuffered)
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 141


@posix
def test_a_broken_pipe_elsewhere_is_an_error(call):
    """A BrokenPipeError of a socket, with stdout in order, is reported like any other."""
    assert call("socket-breaks") == (7, "", "tool: transport: [Errno 32] Broken pipe\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full stands for a full disk")
@pytest.mark.parametrize("words", [("version",), ("--help",), ("--version",), ("many",), ()])
@pytest.mark.parametrize("unbuffered", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_full_disk_is_an_error(start, words, unbuffered):
    """What could not be written is never a success, and is reported once."""
    with Path("/dev/full").open("w") as full:
        process = start(*words, stdout=full.fileno(), **unbuffered)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert "No space left on device" in err


@posix
def test_without_stdout_and_stderr_the_status_is_still_right(program):
    """A process whose standard streams are closed neither crashes nor lies."""
    script = '"$0" "$1" fails mist >&- 2>&-; echo $?; "$0" "$1" version >&- 2>&-; echo $?'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, str(program)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["3", "0"]


@posix
@pytest.mark.parametrize("number", [0, 1, 2])
def test_nothing_takes_the_descriptor_of_a_closed_stream(program, tmp_path, number):
    """Who uses it by its number is told so, and does not meet one of the event loop's own."""
    said = tmp_path / "said"
    script = 'exec "$0" "$@" <&- >&- 2>&-'
    words = [sys.executable, program, "uses-descriptor", str(number), said]
    subprocess.run(["sh", "-c", script, *words], check=True)
    assert "Bad file descriptor" in said.read_text(encoding="utf-8")


def test_a_synchronous_command_imports_nothing_it_does_not_need(program):
    """asyncio, json, difflib, shtab and their like stay out of a plain run."""
    code = (
        "import sys; from runpy import run_path; app = run_path(sys.argv[1])['app'];"
        "before = set(sys.modules); assert app.execute(['paint', 'x']) == 0;"
        "print(sorted({'asyncio', 'json', 'difflib', 'shtab', 'traceback', 'inspect', 'shutil'}"
        " & (set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['x']\n[]\n"
