"""Where lines go, and what happens when they cannot go there."""

import codecs
import contextlib
import errno
import gzip
import io
import json
import logging
import os
import select
import sys
import tempfile
import threading
import time

import pytest

import mist.logging

LINE = {"level": "INFO", "msg": "m", "tool": "t"}


def lines_of(data):
    """Records without their times."""
    text = data.decode() if isinstance(data, bytes) else data
    records = [json.loads(line) for line in text.split("\n")[:-1]]
    return [{name: it for name, it in record.items() if name != "time"} for record in records]


class Calls:
    """A writer that notes each call."""

    def __init__(self):
        self.calls = []

    def write(self, line):
        """Take a line."""
        self.calls.append(line)


@pytest.mark.parametrize("make", [io.StringIO, io.BytesIO], ids=["text", "bytes"])
def test_writers_of_text_and_of_bytes(make):
    """A writer gets what it takes."""
    writer = make()
    mist.logging.new("t", writer=writer).info("m", x="é")
    assert lines_of(writer.getvalue()) == [LINE | {"x": "é"}]


@pytest.mark.parametrize("mode", ["w", "wb", "w+", "wb+", "ab"])
@pytest.mark.parametrize("buffering", [-1, 0])
def test_files_have_each_line_at_once(tmp_path, mode, buffering):
    """Nothing waits in a buffer for the program to end."""
    if buffering == 0 and "b" not in mode:
        pytest.skip("text is always buffered")
    path = tmp_path / "log"
    with path.open(mode, buffering) as writer:
        mist.logging.new("t", writer=writer).info("m", x="é" * 10_000)
        assert lines_of(path.read_bytes()) == [LINE | {"x": "é" * 10_000}]


def test_lines_keep_their_place_among_prints(tmp_path):
    """What was printed before, and still waits in the buffer, comes before."""
    path = tmp_path / "out"
    with path.open("w") as writer:
        log = mist.logging.new("t", writer=writer, format="text")
        for n in range(3):
            print("printed", n, file=writer)
            log.info("logged", n=n)
    assert [line.split()[-1][-1] + line[0] for line in path.read_text().splitlines()] == [
        "0p",
        "0t",
        "1p",
        "1t",
        "2p",
        "2t",
    ]


def test_one_write_for_each_line():
    """The end of the line is part of it, so that lines of two processes do not mix."""
    writer = Calls()
    log = mist.logging.new("t", writer=writer)
    log.info("m", x="y" * 100_000)
    log.info("m")
    assert [call.count("\n") for call in writer.calls] == [1, 1]
    assert all(call.endswith("}\n") for call in writer.calls)


def test_a_file_that_compresses_gets_its_lines(tmp_path):
    """It has a descriptor, which is not to be written to."""
    path = tmp_path / "log.gz"
    with gzip.open(path, "wb") as binary:
        mist.logging.new("t", writer=binary).info("m")
    with gzip.open(path, "at", encoding="utf-8") as text:
        mist.logging.new("t", writer=text).info("m")
    assert lines_of(gzip.decompress(path.read_bytes())) == [LINE, LINE]


def test_temporary_files_and_codecs(tmp_path):
    """Wrappers that are neither one nor the other."""
    with tempfile.NamedTemporaryFile() as binary, tempfile.NamedTemporaryFile("w+") as text:
        for writer in (binary, text):
            mist.logging.new("t", writer=writer).info("m")
            writer.seek(0)
            assert lines_of(writer.read()) == [LINE]
    with codecs.open(tmp_path / "x", "w", "utf-8") as stream:
        mist.logging.new("t", writer=stream).info("m")
    assert lines_of((tmp_path / "x").read_text()) == [LINE]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16", "cp1252"])
def test_writers_of_another_encoding(tmp_path, encoding):
    """What the encoding lacks is escaped as JSON does, and no line is lost."""
    path = tmp_path / "log"
    with path.open("w", encoding=encoding) as writer:
        mist.logging.new("t", writer=writer).info("m", x="é日\U0001f600")
    assert lines_of(path.read_text(encoding)) == [LINE | {"x": "é日\U0001f600"}]


def test_a_raw_writer_that_takes_parts():
    """A socket may take less than it is given."""

    class Slow(io.RawIOBase):
        taken = b""

        def write(self, data):
            self.taken += bytes(data[:7])
            return min(7, len(data))

    writer = Slow()
    mist.logging.new("t", writer=writer).info("m")
    assert lines_of(writer.taken) == [LINE]


def test_redirected_standard_error(capsys):
    """`contextlib.redirect_stderr` works with a logger made before it."""
    log = mist.logging.new("t")
    with contextlib.redirect_stderr(io.StringIO()) as caught:
        log.info("m")
    log.info("after")
    assert lines_of(caught.getvalue()) == [LINE]
    assert '"after"' in capsys.readouterr().err


def test_no_standard_error_at_all(monkeypatch):
    """Under pythonw there is none; lines are counted as lost."""
    log = mist.logging.new("t")
    monkeypatch.setattr(sys, "stderr", None)
    log.info("m")
    assert log.dropped == 1


class Broken:
    """A writer that fails."""

    def __init__(self, failure):
        self.failure = failure

    def write(self, _):
        """Take no line."""
        raise self.failure


@pytest.mark.parametrize(
    "failure",
    [OSError(errno.ENOSPC, "full"), ValueError("closed"), MemoryError(), BrokenPipeError()],
    ids=lambda failure: type(failure).__name__,
)
def test_a_writer_that_fails_is_counted_and_reported_once(capsys, failure):
    """The program goes on; whoever looks at standard error learns of it."""
    log = mist.logging.new("t", writer=Broken(failure))
    child = log.bind(a=1)
    for _ in range(3):
        child.info("m")
    assert log.dropped == child.dropped == 3
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("mist.logging: log lines are lost: ")


def test_a_closed_file_is_not_written_to(tmp_path):
    """Nor is the file that has got its descriptor since."""
    writer = (tmp_path / "log").open("w")
    log = mist.logging.new("t", writer=writer)
    log.info("m")
    writer.close()
    with (tmp_path / "other").open("w") as other:
        log.info("lost", descriptor=other.fileno())
    assert (tmp_path / "other").read_text() == ""
    assert log.dropped == 1


def test_a_pipe_that_nobody_reads_any_more(capsys):
    """EPIPE does not end the program."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as writer:
        log = mist.logging.new("t", writer=writer)
        os.close(reading)
        log.info("m")
        assert log.dropped == 1
    assert "BrokenPipeError" in capsys.readouterr().err


def test_a_full_disk_tears_no_second_line(tmp_path, run):
    """After a line that was cut, the next begins on a line of its own."""
    pytest.importorskip("resource", reason="this system does not limit the size of files")
    path = tmp_path / "log"
    ran = run(
        """
import resource, signal, sys
import mist.logging

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open(sys.argv[1], "wb", 0) as writer:
    log = mist.logging.new("t", writer=writer)
    log.info("m")
    limit(writer.tell() + 20)
    log.info("torn")
    limit(soft)
    log.info("whole")
print(log.dropped)
""",
        str(path),
    )
    assert ran.stdout == "1\n", ran.stderr
    first, torn, last = path.read_text().splitlines()
    assert json.loads(first)["msg"] == "m"
    assert len(torn) == 20
    assert json.loads(last)["msg"] == "whole"


@contextlib.contextmanager
def full_pipe():
    """A pipe that does not block and has no room."""
    if os.name == "nt":
        pytest.skip("pipes of this system always block")
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    with os.fdopen(writing, "wb", 0) as writer:
        try:
            yield reading, writer
        finally:
            os.close(reading)


def test_a_pipe_that_does_not_block_is_waited_for():
    """A reader that is only slow loses nothing, long lines included."""
    with full_pipe() as (reading, writer):
        log = mist.logging.new("t", writer=writer)
        seen = bytearray()

        def read():
            while not seen.endswith(b"}\n"):
                select.select([reading], [], [], 10)
                seen.extend(os.read(reading, 65536))

        thread = threading.Thread(target=read)
        thread.start()
        log.info("m", x="y" * 200_000)
        thread.join(10)
    assert log.dropped == 0
    assert lines_of(bytes(seen).lstrip(b"x")) == [LINE | {"x": "y" * 200_000}]


def test_a_pipe_that_is_stuck_costs_the_wait_once():
    """Hundreds of lines take no longer than the first, and it starts again whole."""
    with full_pipe() as (reading, writer):
        log = mist.logging.new("t", writer=writer)
        started = time.monotonic()
        for _ in range(500):
            log.info("lost")
        assert time.monotonic() - started < 5  # real time is what the test is about: 50 s if not
        assert log.dropped == 500
        os.set_blocking(reading, False)
        with contextlib.suppress(BlockingIOError):
            while os.read(reading, 65536):
                pass
        log.info("m")
        assert lines_of(os.read(reading, 65536)) == [LINE]


def test_a_line_torn_by_a_stuck_pipe_does_not_spoil_the_next():
    """A pipe with room for a part of a line."""
    with full_pipe() as (reading, writer):
        log = mist.logging.new("t", writer=writer)
        assert os.read(reading, 32_768) == b"x" * 32_768
        log.info("torn", x="y" * 200_000)
        assert log.dropped == 1
        seen = os.read(reading, 1 << 20)
        log.info("m")
        seen += os.read(reading, 1 << 20)
    *_, torn, last, end = seen.split(b"\n")
    assert torn.endswith(b"yyy")
    assert lines_of(last + b"\n") == [LINE]
    assert end == b""


def test_a_writer_that_logs_does_not_loop():
    """Its own lines are lost, and counted."""

    class Logging:
        def __init__(self):
            self.lines = []

        def write(self, line):
            log.info("from the writer")
            self.lines.append(line)

    writer = Logging()
    log = mist.logging.new("t", writer=writer)
    log.info("m")
    assert lines_of("".join(writer.lines)) == [LINE]
    assert log.dropped == 1


def test_a_writer_that_logs_by_the_standard_library_does_not_loop():
    """As a writer that sends lines over the network does, through its HTTP library."""

    class Logging(io.StringIO):
        def write(self, line):
            logging.getLogger("network").error("from the writer")
            return super().write(line)

    writer = Logging()
    log = mist.logging.new("t", writer=writer)
    with log.capture_stdlib():
        log.info("m")
    assert lines_of(writer.getvalue()) == [LINE]
    assert log.dropped == 1


def test_a_recursion_at_its_end_loses_no_line_uncounted(make_log):
    """Where there is no room for the careful way, a shorter line comes out, or it is counted."""
    log = make_log("t")
    calls = 0

    def recurse():
        nonlocal calls
        log.logger.info("m", x={1: [2]})
        calls += 1
        recurse()

    with pytest.raises(RecursionError):
        recurse()
    assert len(log.records) > 100
    assert {record["msg"] for record in log.records} == {"m"}
    assert len(log.records) + log.logger.dropped >= calls
    assert log.logger.dropped < 20
