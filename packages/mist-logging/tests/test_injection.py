"""Nobody forges a line, or steers a terminal, by what is logged."""

import json

import pytest

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)]
OVERRIDES = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@pytest.mark.parametrize("char", CONTROLS + OVERRIDES, ids=lambda char: f"{ord(char):04x}")
@pytest.mark.parametrize("form", ["json", "text"])
def test_controls_never_come_out_raw(make_log, char, form):
    """In the message, a name, a value, and inside of values."""
    log = make_log(f"t{char}", format=form)
    msg = f"m{char}{{"
    log.logger.info(msg, **{f"k{char}": f"v{char}"}, list=[f"v{char}"], map={f"k{char}": 1})
    log.logger.info(msg, x="plain")
    assert log.text.count("\n") == 2
    assert char not in log.text.replace("\n", "") or char == "\n"
    if form == "json":
        first = json.loads(log.text.splitlines()[0])
        assert first["msg"] == msg
        assert first[f"k{char}"] == f"v{char}"


def test_a_forged_line_stays_inside_its_value(make_log):
    """The classic: a user name that ends the line and begins another."""
    forged = 'bob\n{"level":"INFO","msg":"admin logged in"}\r\ntime=x level=INFO msg=y'
    for form in ("json", "text"):
        log = make_log("t", format=form)
        log.logger.info("login failed", user=forged)
        assert len(log.text.splitlines()) == 1
