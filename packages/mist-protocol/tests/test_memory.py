"""A small payload does not keep the large buffer alive that it arrived in."""

import gc
import tracemalloc

import pytest

from mist.protocol import Message, unmarshal_lines

MEGABYTE = 1 << 20


def line(extra=b""):
    """Return a small envelope, with more fields if given."""
    return b'{"version":"1","id":"a","source":"s","type":"t","payload":{"n":1}' + extra + b"}"


@pytest.fixture
def kept_bytes():
    """Returns what a callable's result keeps alive, in bytes."""

    def measure(make):
        make()
        gc.collect()
        tracemalloc.start()
        try:
            kept = make()
            gc.collect()
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept is not None
        return size

    return measure


def test_one_message_of_a_large_batch_keeps_only_itself(kept_bytes):
    """One message out of a 10 MB batch of lines keeps less than 10 kB."""
    count = 10 * MEGABYTE // len(line())

    def first_of_batch():
        return unmarshal_lines((line() + b"\n") * count)[count // 2]

    assert kept_bytes(first_of_batch) < 10_000


def test_a_message_from_a_slice_of_a_large_buffer_keeps_only_itself(kept_bytes):
    """A message read through a memoryview leaves the 10 MB behind it free."""

    def from_view():
        buffer = bytearray(line() + b" " * (10 * MEGABYTE))
        message = Message.unmarshal(memoryview(buffer)[: len(line())])
        buffer.clear()  # raises BufferError if a view were still held
        return message

    assert kept_bytes(from_view) < 10_000


@pytest.mark.parametrize("as_type", [bytes, bytearray, memoryview, bytes.decode])
def test_a_huge_unknown_key_is_not_kept(kept_bytes, as_type):
    """An unknown key of 9 MB beside a small payload is gone when the message is read."""

    def with_huge_key():
        return Message.unmarshal(as_type(line(b',"zz":"' + b"x" * (9 * MEGABYTE) + b'"')))

    assert kept_bytes(with_huge_key) < 10_000


def test_white_space_is_not_kept(kept_bytes):
    """White space of 9 MB around an envelope is gone when the message is read."""
    assert kept_bytes(lambda: Message.unmarshal(line() + b" " * (9 * MEGABYTE))) < 10_000


def test_the_lenient_path_keeps_no_more(kept_bytes):
    """An envelope with a null, which is read on a second try, is not kept either."""

    def with_null():
        return Message.unmarshal(line(b',"checksum":null,"zz":"' + b"x" * (9 * MEGABYTE) + b'"'))

    assert kept_bytes(with_null) < 10_000


def test_a_message_owns_its_bytes():
    """A buffer that is used again does not change a message read from it."""
    buffer = bytearray(line())
    message = Message.unmarshal(buffer)
    buffer[:] = b"\0" * len(buffer)
    assert bytes(message.payload) == b'{"n":1}'
