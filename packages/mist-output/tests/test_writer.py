"""The writer's streams: where things go, when, and what happens when nobody reads."""

import io
import json
import sys

import pytest

from mist.output import OutputError, Writer


class CountingStream(io.StringIO):
    """A stream that remembers each write and flush."""

    def __init__(self):
        super().__init__()
        self.calls: list[str] = []

    def write(self, text):
        """Remember and write."""
        self.calls.append(text)
        return super().write(text)

    def flush(self):
        """Remember the flush."""
        self.calls.append("flush")


def test_unknown_format_is_refused():
    """A format that does not exist is an error that names those that do."""
    with pytest.raises(OutputError, match="unknown output format 'yaml': choose json or table"):
        Writer("yaml")


def test_a_line_is_one_write_and_flushed():
    """A reader sees each line whole and at once."""
    stream = CountingStream()
    Writer(stream=stream).json([1])
    assert stream.calls == ["[1]\n", "flush"]


def test_default_stream_is_stdout_as_it_is_now(capsys, monkeypatch):
    """A redirected stdout is honoured even by a writer made before."""
    writer = Writer()
    writer.json(1)
    assert capsys.readouterr().out == "1\n"
    other = io.StringIO()
    monkeypatch.setattr(sys, "stdout", other)
    writer.json(2)
    assert other.getvalue() == "2\n"


def test_errors_go_to_stderr_in_the_form_of_the_format(capsys):
    """A person gets the text as one safe line, a program an object; stdout stays clean."""
    Writer("table").error("cannot read\n\x1b[31mx")
    Writer("json").error("cannot read\nx")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [r"cannot read\n\x1b[31mx", '{"error":"cannot read\\nx"}']


def test_a_closed_pipe_is_told_by_the_call_that_met_it(on_pipes):
    """The writer raises BrokenPipeError at once; it neither swallows it nor leaves it to exit."""
    ran = on_pipes("""
import os, sys
from mist.output import Writer
reader, writer = os.pipe()
os.close(reader)
out = Writer(stream=open(writer, "w", closefd=False))
for call in (lambda: out.json(1), lambda: out.table("A", [["x"]])):
    try:
        call()
    except BrokenPipeError:
        print("broken")
""")
    assert ran.stdout == "broken\nbroken\n"


def test_threads_do_not_cut_into_each_others_lines(on_pipes):
    """Lines of many threads arrive whole."""
    ran = on_pipes("""
import threading
from mist.output import Writer
out = Writer()
def work(name):
    for at in range(200):
        out.json({"name": name, "at": at})
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
""")
    assert len({tuple(json.loads(line).items()) for line in ran.stdout.splitlines()}) == 1600


def test_without_standard_streams_nothing_is_written_and_nothing_fails(monkeypatch):
    """A program that has no console runs all the same."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    writer = Writer("table")
    writer.json(1)
    writer.table("A", [["x"]])
    writer.error("unheard")
    assert writer.format == "table"


def test_without_a_standard_error_an_error_is_not_among_the_results(capsys, monkeypatch):
    """Who reads results is not to take an error for one, in either format."""
    monkeypatch.setattr(sys, "stderr", None)
    Writer("json").error("unheard")
    Writer("table").error("unheard")
    assert capsys.readouterr().out == ""
