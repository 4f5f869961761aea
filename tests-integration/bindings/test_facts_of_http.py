"""What mist-bindings says of HTTP is what mist.transport does, which it may not import."""

import inspect
import runpy

from mist.bindings import export
from mist.bindings.model import HTTP as FACTS
from mist.transport import HTTP, Rejected
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


def test_a_refusal_has_the_same_code(tmp_path):
    """For each status of a refusal the Python client has the code that the transport has."""
    (path,) = export("python", tmp_path)
    rejected = runpy.run_path(str(path), run_name="mist_client")["Rejected"]
    for status in (200, *range(300, 600)):
        code = Rejected("", status=status).code
        assert rejected("", status=status, body="").code == code, status
