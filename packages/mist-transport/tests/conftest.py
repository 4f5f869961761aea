"""What every test of this package has at hand."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

from mist.protocol import Message


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    """Fail a test in which the event loop is blocked by input or output, or by sleep."""
    with blockbuster_ctx("mist.transport") as blockbuster:
        # Appending a line to a regular file is a copy into the page cache, done in place.
        blockbuster.functions["os.write"].can_block_in("mist/transport/file.py", "append")
        # Written in place only where poll says that the pipe has room.
        blockbuster.functions["os.write"].can_block_in("mist/transport/stdio.py", "write")
        blockbuster.functions["os.read"].can_block_in("mist/transport/file.py", "_is_newline")
        yield blockbuster


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of data that mist-go wrote."""
    places = [Path(os.environ["MIST_GOLDEN"])] if "MIST_GOLDEN" in os.environ else []
    places += [parent / "shared" / "golden" for parent in Path(__file__).resolve().parents]
    for place in places:
        if (place / "stream.jsonl").is_file():
            return place
    pytest.skip("the golden data (../shared/golden) is not beside this checkout")


@pytest.fixture
def messages() -> list[Message]:
    """Twenty messages with checksums, different in size and content."""
    return [
        Message.new("test", "acme.item", {"n": n, "text": "<é\u2028>" * n}).with_checksum()
        for n in range(20)
    ]
