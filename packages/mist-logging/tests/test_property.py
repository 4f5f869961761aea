"""Whatever the fields are, there is one line, and it can be read."""

import json

from hypothesis import given
from hypothesis import strategies as st

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.binary(max_size=20)
    | st.decimals()
    | st.datetimes(timezones=st.timezones() | st.none())
    | st.timedeltas()
    | st.uuids()
    | st.complex_numbers()
    | st.builds(ValueError, st.text(st.characters()))
    | st.sampled_from([object, print, ..., NotImplemented])
)
KEYS = st.text(st.characters(), max_size=10) | st.integers() | st.none() | st.binary(max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.frozensets(KEYS, max_size=3)
    ),
    max_leaves=10,
)
FIELDS = st.dictionaries(st.text(st.characters(), max_size=10), VALUES, max_size=6)


@given(msg=st.text(st.characters()) | VALUES, fields=FIELDS, bound=FIELDS)
def test_json_is_one_valid_line_with_every_field(make_log, msg, fields, bound):
    """Valid UTF-8, no name twice, as many fields as were given."""
    log = make_log("t")
    log.logger.bind(**bound).info(msg, **fields)
    assert log.text.count("\n") == 1
    assert all(char.isprintable() or char > "\x9f" for char in log.text[:-1])
    assert list(log.record)[:4] == ["time", "level", "msg", "tool"]
    names = {**bound, **fields}.keys() - {"exc_info"}
    details = {"error", "error_type", "code", "stack"}
    assert len(log.fields.keys() - details) >= len(names - details)


@given(msg=st.text(st.characters()) | VALUES, fields=FIELDS)
def test_text_is_one_line_without_controls(make_log, msg, fields):
    """Nothing in it is anything but visible."""
    log = make_log("t", format="text")
    log.logger.info(msg, **fields)
    assert log.text.count("\n") == 1
    assert log.text[:-1].isprintable()


@given(value=VALUES)
def test_what_json_can_say_is_said_exactly(make_log, value):
    """Plain values come back as they were."""
    log = make_log("t")
    log.logger.info("m", x=value)
    try:
        expected = json.loads(json.dumps(value, allow_nan=False))
        json.dumps(expected, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        return
    if "://" not in log.text and "!ERROR" not in log.text and not _has_other_names(value):
        assert log.fields["x"] == expected


def _has_other_names(value):
    if isinstance(value, dict):
        return any(not isinstance(key, str) for key in value) or any(
            map(_has_other_names, value.values())
        )
    return isinstance(value, list | tuple) and any(map(_has_other_names, value))
