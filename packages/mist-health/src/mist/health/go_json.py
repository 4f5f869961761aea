"""JSON, byte for byte as Go's `json.Encoder` writes it."""

import json
import re

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode

# Go escapes these inside strings, and in JSON text they appear nowhere else.
_ESCAPES = {each: f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
_ESCAPED = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def go_json(value: object) -> bytes:
    """Return one line of JSON, its mappings in their own order; half a surrogate is U+FFFD."""
    text = _ESCAPED.sub(lambda found: _ESCAPES.get(found[0], "\\ufffd"), _encode(value))
    return text.encode() + b"\n"
