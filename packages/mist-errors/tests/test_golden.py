"""What mist-go wrote is what we write."""

import json

from mist.errors import Code, MistError, code_of, exit_code, http_status, is_retryable, wrap


def _compact(error: MistError) -> str:
    return json.dumps(error.to_dict(), separators=(",", ":"))


def test_every_code_has_gos_statuses_text_and_json(golden_errors):
    """Each code's HTTP status, exit code, text and JSON are byte for byte mist-go's."""
    records = [record for record in golden_errors if "code" in record]
    assert {record["code"] for record in records} == {*Code, "made_up"}
    for record in records:
        error = MistError(record["code"], "boom")
        assert http_status(record["code"]) == record["http"]
        assert exit_code(record["code"]) == record["exit"]
        assert str(error) == record["str"]
        assert _compact(error) == record["json"]


def test_retryability_is_gos_except_for_internal(golden_errors):
    """The table agrees with mist-go's source but for `internal`, where its documentation stands."""
    for record in golden_errors:
        if "code" in record:
            expected = record["retryable_in_go_source"] or record["code"] == "internal"
            assert is_retryable(MistError(record["code"], "boom")) is expected


def test_wrapping_and_nesting_read_as_in_go(golden_errors):
    """A wrapped error with meta, and one inside another, have mist-go's text and JSON."""
    wrapped_record = next(record for record in golden_errors if "wrapped_str" in record)
    nested_record = next(record for record in golden_errors if "nested_str" in record)
    refused = OSError("dial tcp: refused")
    sent = wrap(Code.TRANSPORT, refused, "send failed")
    with_meta = sent.with_meta("task", "t1").with_meta("suite", "math")
    outer = wrap(Code.UNAVAILABLE, sent, "outer")

    assert str(with_meta) == wrapped_record["wrapped_str"]
    assert _compact(with_meta) == wrapped_record["wrapped_json"]
    assert is_retryable(with_meta.retriable()) is wrapped_record["retriable"]
    assert is_retryable(with_meta.permanent()) is wrapped_record["permanent"]
    assert str(outer) == nested_record["nested_str"]
    assert _compact(outer) == nested_record["nested_json"]
    assert code_of(outer) == nested_record["code_of_nested"]
    assert code_of(refused) == nested_record["code_of_plain"]
