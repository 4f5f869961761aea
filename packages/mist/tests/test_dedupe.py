"""`mist dedupe`: each message once, and what is odd is told."""

import gzip
import os
from pathlib import Path

import pytest

from mist.protocol import marshal_lines

posix = pytest.mark.skipif(os.name != "posix", reason="descriptors as POSIX has them")


def test_each_message_is_written_once(mist, tmp_path, messages):
    """Over all files together, in the order of the first coming, byte for byte."""
    sent = messages(3000)
    (tmp_path / "a.jsonl").write_bytes(marshal_lines(sent[:2000] + sent[1500:2000]))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(marshal_lines(sent[1000:])))
    ended = mist("dedupe", "a.jsonl", "b.jsonl.gz")
    assert (ended.status, ended.out.encode()) == (0, marshal_lines(sent))
    assert ended.err.startswith("dedupe: 3000 messages in ")
    assert ended.err.endswith(", 1500 repeated\n")


def test_standard_input_is_a_source(mist, messages):
    """In a pipe it is a filter, and says nothing of what is not there."""
    sent = messages(5)
    ended = mist("dedupe", given=marshal_lines(sent + sent[:2] + sent).decode())
    assert (ended.status, ended.out.encode()) == (0, marshal_lines(sent))
    assert ended.err.count("\n") == 1
    assert "skipped" not in ended.err
    assert "another" not in ended.err


def test_an_id_given_twice_is_written_and_told(mist, tmp_path, messages):
    """Nothing with a content of its own is dropped; file and line say where it stands."""
    one, two = messages(2)
    odd = two.marshal().replace(two.id.encode(), one.id.encode()) + b"\n"
    data = marshal_lines([one]) + b"\n" + odd
    (tmp_path / "in.jsonl").write_bytes(data + marshal_lines([one]))
    ended = mist("dedupe", "in.jsonl")
    assert (ended.status, ended.out.encode()) == (1, data.replace(b"\n\n", b"\n"))
    assert "kept in.jsonl:3: it has the id of another message" in ended.err
    assert one.id in ended.err
    assert "2 messages" in ended.err
    assert "1 repeated, 1 with the id of another" in ended.err


def test_lines_that_are_no_messages_are_told_and_skipped(mist, tmp_path, messages):
    """They make the exit status 1, and at most twenty are shown."""
    (tmp_path / "in.jsonl").write_bytes(marshal_lines(messages(1)) + b"bad\n" * 50 + b'{"torn":')
    ended = mist("dedupe", "in.jsonl")
    assert ended.status == 1
    assert ended.out.count("\n") == 1
    assert "skipped in.jsonl:2: " in ended.err
    assert ended.err.count("skipped in.jsonl:") == 20
    assert "51 lines skipped" in ended.err


def test_the_window_bounds_what_is_remembered(execute, tmp_path, messages):
    """Beyond --window other messages, one that comes again is written again."""
    sent = messages(4)
    (tmp_path / "in.jsonl").write_bytes(marshal_lines([*sent, sent[0], sent[3]]))
    ended = execute("dedupe", "in.jsonl", "--window", "3")
    assert ended.out.encode() == marshal_lines([*sent, sent[0]])


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["missing.jsonl"], 3, "not_found: cannot read missing.jsonl: No such file"),
        (["."], 2, "it is a directory"),
        (["--window", "0"], 2, "--window counts the ids to remember"),
        (["--window=-1"], 2, "--window counts the ids to remember"),
    ],
)
def test_what_is_wrong_with_the_words_is_told(execute, words, status, reason):
    """A missing file or a wrong flag ends with its reason and the code's status."""
    ended = execute("dedupe", *words)
    assert (ended.status, ended.out) == (status, "")
    assert reason in ended.err


@posix
def test_a_reader_that_has_gone_is_no_error(start, stream):
    """`mist dedupe f | head` ends with the status of any filter, and no traceback."""
    process = start("dedupe", stream)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 141
    assert "Error" not in process.stderr.read()


@posix
def test_a_full_disk_is_an_error(start, stream):
    """What cannot be written ends it, and says why."""
    with Path("/dev/full").open("w") as full:
        process = start("dedupe", stream, stdout=full)
        assert process.wait(20) == 6
    assert "cannot write standard output: No space left on device" in process.stderr.read()
