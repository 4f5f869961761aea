"""Lines become messages, however the bytes arrive."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mist.protocol import Message, MessageTooLarge, ProtocolError
from mist.transport.lines import LineParser


def drain(parser: LineParser) -> tuple[list[Message], list[str]]:
    """Return the messages and the error texts that a parser has to give."""
    found: list[Message] = []
    errors: list[str] = []
    while True:
        try:
            message = parser.next_message()
        except ProtocolError as exc:
            errors.append(str(exc))
            continue
        if message is None:
            return found, errors
        found.append(message)


@settings(deadline=None)
@given(st.data())
def test_chunk_boundaries_do_not_matter(data: st.DataObject) -> None:
    """Cut anywhere, the same input gives the same messages and the same errors."""
    lines = data.draw(
        st.lists(
            st.one_of(
                st.integers().map(lambda n: Message.new("s", "t", {"n": str(n)}).marshal()),
                st.sampled_from([b"", b"  \t", b"{torn", b"\xff\xfe", b"[]"]),
            ),
            max_size=8,
        )
    )
    ending = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    whole = ending.join(lines) + data.draw(st.sampled_from([b"", ending]))
    reference = LineParser("in")
    reference.feed(whole)
    reference.end()
    cut = LineParser("in")
    position = 0
    while position < len(whole):
        step = data.draw(st.integers(1, 40))
        cut.feed(whole[position : position + step])
        position += step
    cut.end()
    assert drain(cut) == drain(reference)


def test_every_good_line_is_found_between_bad_ones() -> None:
    """A bad line is one error that names its number, and costs nothing else."""
    good = [Message.new("s", "t", n) for n in range(3)]
    parser = LineParser("in.jsonl")
    parser.feed(good[0].marshal() + b"\n\n{bad}\r\n" + good[1].marshal() + b"\r\n[]\n")
    parser.feed(good[2].marshal() + b"\n")
    parser.end()
    found, errors = drain(parser)
    assert found == good
    assert [error.split(":")[:2] for error in errors] == [["in.jsonl", "3"], ["in.jsonl", "5"]]


def test_a_torn_last_line_is_one_error_that_says_so() -> None:
    """Input that ends inside a line is reported as that."""
    message = Message.new("s", "t", "x")
    parser = LineParser("in")
    parser.feed(message.marshal() + b"\n" + message.marshal()[:-5])
    parser.end()
    found, errors = drain(parser)
    assert found == [message]
    assert len(errors) == 1
    assert "the input ends inside this line" in errors[0]


def test_a_whole_message_without_its_newline_counts() -> None:
    """The last message of a file that somebody wrote by hand is not lost."""
    message = Message.new("s", "t", "x")
    parser = LineParser("in")
    parser.feed(message.marshal())
    parser.end()
    assert drain(parser) == ([message], [])


def test_a_line_over_the_limit_is_refused_without_being_held() -> None:
    """Of 50 MB without a newline no more than the limit stays in memory."""
    parser = LineParser("in", max_size=1 << 20)
    chunk = b"x" * (256 << 10)
    tracemalloc.start()
    try:
        for _ in range(200):
            parser.feed(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    after = Message.new("s", "t", 1)
    parser.feed(b"\n" + after.marshal() + b"\n")
    with pytest.raises(MessageTooLarge, match=r"in:1: message of 52428800 bytes"):
        parser.next_message()
    assert parser.next_message() == after
    assert peak < 3 << 20


def test_a_line_over_the_limit_within_one_chunk_is_refused_alone() -> None:
    """Its neighbours in the chunk are messages, and the error tells its size."""
    first, last = (Message.new("s", "t", n) for n in range(2))
    parser = LineParser("in", max_size=1000)
    parser.feed(first.marshal() + b"\n" + b"x" * 2000 + b"\n" + last.marshal() + b"\n")
    assert parser.next_message() == first
    with pytest.raises(MessageTooLarge, match="in:2: message of 2000 bytes"):
        parser.next_message()
    assert parser.next_message() == last
