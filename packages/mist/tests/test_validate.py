"""`mist validate`: what is valid, what is not, and how both are told."""

import errno
import gzip
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from mist.protocol import Message, marshal_lines

posix = pytest.mark.skipif(os.name != "posix", reason="descriptors and signals as POSIX has them")


def _line(**changes):
    fields = {
        "version": "1",
        "id": "0" * 32,
        "source": "test",
        "type": "acme.order",
        "timestamp_ns": 1,
        "payload": {"n": 1},
    }
    fields.update(changes)
    return json.dumps({key: item for key, item in fields.items() if item is not ...})


def test_totals_are_one_line_of_json_in_a_pipe(mist, stream):
    """In a pipe stdout is one JSON line, and nothing is said on stderr of what is in order."""
    ended = mist("validate", stream)
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(ended.out) == {"valid": 2000, "invalid": 0}
    assert ended.out.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no json", "not a message"),
        ('"text"', "not a message"),
        (_line()[:-9], "not a message"),
        (_line(version=...), "missing version"),
        (_line(id=""), "missing id"),
        (_line(source=None), "missing source"),
        (_line(type=""), "missing type"),
        (_line(type=5), "$.type"),
        (_line(timestamp_ns="now"), "$.timestamp_ns"),
        (_line(version="99"), "99"),
        (_line(checksum=7), "checksum 7 does not match the payload, which has "),
        (_line(checksum=-7), "$.checksum"),
        (_line(type="infer.request", payload={"model": 5}), "payload of infer.request: "),
        (_line(type="trace.span", payload={"start_ns": "1"}), "$.start_ns"),
        (_line(type="eval.run", payload=[]), "payload of eval.run: "),
        (_line(payload="x" * (10 << 20)), "10485760"),
        ("[" * 100_000, "not a message"),
        ('{"version":"1","id":"\udcff"}', "not a message"),
    ],
    ids=lambda item: item[:40] if len(item) < 200 else f"{item[:20]}...",
)
def test_what_is_wrong_is_named_with_file_and_line(execute, tmp_path, line, reason):
    """Each kind of invalid message is counted, and its line and the reason are on stderr."""
    path = tmp_path / "messages.jsonl"
    path.write_bytes(f"{_line()}\n{line}\n{_line()}\n".encode(errors="surrogateescape"))
    ended = execute("validate", path)
    assert ended.status == 1
    assert json.loads(ended.out) == {"valid": 2, "invalid": 1}
    assert ended.err.startswith(f"{path}:2: ")
    assert reason in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        _line(payload=...),
        _line(timestamp_ns=...),
        _line(timestamp_ns=None),
        _line(checksum=0),
        _line(extra=[1]),
        _line(payload=None),
        _line(type="infer.request", payload={}),
        _line() + "\r",
    ],
)
def test_what_mist_go_takes_is_valid(execute, tmp_path, line):
    """Absent and null fields, unknown keys and carriage returns are no fault."""
    path = tmp_path / "messages.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    ended = execute("validate", path)
    assert json.loads(ended.out)["valid"] == 1, ended.err


def test_a_typed_payload_may_not_be_absent(execute, tmp_path):
    """A message of a known type without its payload is invalid."""
    path = tmp_path / "messages.jsonl"
    path.write_text(_line(type="eval.run", payload=...), encoding="utf-8")
    ended = execute("validate", path)
    assert (ended.status, json.loads(ended.out)) == (1, {"valid": 0, "invalid": 1})


def test_blank_lines_are_neither(execute, tmp_path):
    """Blank lines do not count, but line numbers do."""
    path = tmp_path / "messages.jsonl"
    path.write_text(f"\n{_line()}\n \t\r\n\r\nbad\n\n", encoding="utf-8")
    ended = execute("validate", path)
    assert json.loads(ended.out) == {"valid": 1, "invalid": 1}
    assert ended.err.startswith(f"{path}:5: ")


def test_a_torn_last_line_is_named_as_such(execute, tmp_path):
    """A file that ends inside a line has one invalid message."""
    path = tmp_path / "messages.jsonl"
    path.write_text(f"{_line()}\n{_line()[:50]}", encoding="utf-8")
    ended = execute("validate", path)
    assert json.loads(ended.out) == {"valid": 1, "invalid": 1}
    assert "the input ends inside this line" in ended.err


def test_an_empty_file_has_nothing_invalid(execute, tmp_path):
    """No message is no fault."""
    path = tmp_path / "empty.jsonl"
    path.touch()
    ended = execute("validate", path)
    assert (ended.status, json.loads(ended.out)) == (0, {"valid": 0, "invalid": 0})


@pytest.mark.parametrize(("flags", "shown"), [((), 20), (("--all",), 33)])
def test_at_most_20_problems_are_shown_unless_all_are_wanted(execute, tmp_path, flags, shown):
    """The twenty-first problem and those after it are counted, and --all shows them."""
    path = tmp_path / "messages.jsonl"
    path.write_text("bad\n" * 33, encoding="utf-8")
    ended = execute("validate", *flags, path)
    assert (ended.status, json.loads(ended.out)) == (1, {"valid": 0, "invalid": 33})
    problems = [line for line in ended.err.splitlines() if line.startswith(str(path))]
    assert len(problems) == shown
    assert ("... and 13 more; --all shows them" in ended.err) == (not flags)


def test_standard_input_is_read_without_files_or_for_a_dash(mist, ping_line):
    """Without files standard input is checked; errors call it that."""
    assert json.loads(mist("validate", given=ping_line).out) == {"valid": 1, "invalid": 0}
    ended = mist("validate", "-", given=ping_line + "bad\n")
    assert json.loads(ended.out) == {"valid": 1, "invalid": 1}
    assert ended.err.startswith("standard input:2: ")


def test_gz_is_decompressed(execute, tmp_path, messages):
    """A file that ends in .gz is decompressed, also one of several members."""
    path = tmp_path / "messages.jsonl.gz"
    data = marshal_lines(messages(500))
    path.write_bytes(gzip.compress(data) + gzip.compress(data))
    assert json.loads(execute("validate", path).out)["valid"] == 1000


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"no gzip" + data])
def test_damaged_gz_is_an_error(execute, tmp_path, messages, damage):
    """A .gz file that is torn or no gzip at all is a protocol error."""
    path = tmp_path / "messages.jsonl.gz"
    path.write_bytes(damage(gzip.compress(marshal_lines(messages(500)))))
    ended = execute("validate", path)
    assert ended.status == 8
    assert "damaged gzip data" in ended.err


@pytest.mark.parametrize(("name", "status"), [("missing.jsonl", 3), (".", 2)])
def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    execute, tmp_path, stream, name, status
):
    """The others are counted, then the error is told and gives the status."""
    ended = execute("validate", tmp_path / name, stream)
    assert ended.status == status
    assert json.loads(ended.out) == {"valid": 2000, "invalid": 0, "unreadable": 1}
    assert ended.err.startswith("mist: ")
    assert f"cannot read {tmp_path / name}".rstrip("/.") in ended.err
    assert ended.err.count("\n") == 1


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_an_auth_error(execute, tmp_path):
    """A file that may not be read gives the status of `auth`."""
    path = tmp_path / "secret.jsonl"
    path.touch(mode=0)
    assert execute("validate", path).status == 4


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that fails to be read")
def test_a_file_that_fails_while_it_is_read_is_an_error(execute):
    """It could be opened, but a disk may fail later: the file and the reason are named."""
    ended = execute("validate", "/proc/self/mem")
    assert ended.status == 7
    assert json.loads(ended.out) == {"valid": 0, "invalid": 0, "unreadable": 1}
    assert ended.err == "mist: transport: cannot read /proc/self/mem: Input/output error\n"


def test_json_makes_the_error_an_object(mist):
    """With --json the error on stderr is an object with its code."""
    ended = mist("validate", "missing.jsonl", "--json")
    assert json.loads(ended.err)["code"] == "not_found"


def test_problems_hold_nothing_that_a_terminal_obeys(execute, tmp_path):
    """Escape sequences in a message are shown, not obeyed."""
    path = tmp_path / "messages.jsonl"
    path.write_text(_line(version="\x1b[31m"), encoding="utf-8")
    assert "\x1b" not in execute("validate", path).err


@posix
def test_ctrl_c_ends_a_wait_for_input_at_once(start, begun):
    """Ctrl-C while standard input is silent gives 130 and one line."""
    process = start("validate", stdin=subprocess.PIPE)
    process.stdin.write(_line()[:10])
    process.stdin.flush()
    begun(process)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert process.stderr.read() == "mist: cancelled: interrupted\n"


@posix
def test_totals_that_cannot_be_written_are_an_error(start, stream):
    """A full disk under stdout is no success."""
    with Path("/dev/full").open("w") as full:
        process = start("validate", stream, stdout=full)
        assert process.wait(10) == 1
    assert os.strerror(errno.ENOSPC) in process.stderr.read()


def test_memory_does_not_grow_with_the_file(execute, tmp_path, messages):
    """A line of any length is refused without being held, and what follows is checked."""
    path = tmp_path / "messages.jsonl"
    with path.open("wb") as file:
        for _ in range(64):
            file.write(b" " * (1 << 20))
        file.write(b"x\n" + Message.marshal(messages(1)[0]) + b"\n")
    ended = execute("validate", path)
    assert json.loads(ended.out) == {"valid": 1, "invalid": 1}
    assert f"{path}:1: " in ended.err
