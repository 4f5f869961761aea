"""The model's facts of HTTP are those of mist.transport, which mist-bindings may not import."""

import inspect

from mist.bindings.model import HTTP as FACTS
from mist.transport import HTTP
from mist.transport.http.address import DEFAULT_PATH
from mist.transport.http.batch import JSON, NDJSON


def test_the_facts_agree():
    """Path, content types, timeout and the bounds of a batch are the transport's own defaults."""
    options = inspect.signature(HTTP).parameters
    assert FACTS() == FACTS(
        path=DEFAULT_PATH,
        json=JSON,
        ndjson=NDJSON,
        announcement="Accept-Post",
        timeout=options["timeout"].default,
        max_batch_messages=options["max_batch_messages"].default,
        max_batch_bytes=options["max_batch_bytes"].default,
    )
