"""The fields of a line, in their order, none lost to another of the same name."""

from collections.abc import Mapping
from typing import TypeGuard

from mist.logging.exceptions import exception_details, exception_of, exception_text
from mist.logging.values import Plain, left_out, unused

HEAD = ("time", "level", "msg", "tool")
TAIL = ("trace_id", "span_id")
RESERVED: frozenset[str] = frozenset(HEAD + TAIL)


def without_clashes(fields: Mapping[str, object], trace: Mapping[str, str]) -> dict[str, object]:
    """Rename the fields that have a reserved name, by an underscore behind it.

    A trace id and a span id are reserved only where there is a span; the span's own ids, given
    once more, are left to it.
    """
    taken = {*HEAD, *trace}
    free: dict[str, object] = {}
    for name, value in fields.items():
        if name not in taken:
            free[name] = value
        elif type(value) is not str or trace.get(name) != value:
            free[unused(name, taken | fields.keys() | free.keys())] = value
    return free


def plain_record(record: Mapping[str, object], plain: Plain) -> dict[str, object]:
    """Return a record of plain values, with what its exception, if there is one, has to tell."""
    fields = {name: value for name, value in record.items() if name not in RESERVED}
    details = {name: plain.text(text) for name, text in _take_exception(fields).items()}
    head = {name: record[name] for name in HEAD}
    head["msg"] = plain.message(record["msg"])
    used: set[str] = set(RESERVED)
    shown: dict[str, object] = {}
    for at, (field, value) in enumerate(fields.items()):
        if plain.is_full:
            shown[unused("...", used)] = left_out(len(fields) - at)
            break
        name = unused(plain.key(field), used)
        used.add(name)
        shown[name] = plain.field(name, value)
    for detail, text in details.items():
        name = unused(detail, used)
        used.add(name)
        shown[name] = text
    return head | shown | {name: plain.value(record[name]) for name in TAIL if name in record}


def _take_exception(fields: dict[str, object]) -> dict[str, str]:
    """Return the details of a record's exception, taking `exc_info` out of the fields."""
    exc = _from_exc_info(fields)
    if exc is None:
        exc = _from_field(fields)
        return {} if exc is None else exception_details(exc)
    details = exception_details(exc)
    return details if fields.get("error") is exc else {"error": exception_text(exc)} | details


def _from_exc_info(fields: dict[str, object]) -> BaseException | None:
    try:
        exc = exception_of(fields.get("exc_info"))
    except TypeError:  # a field that happens to have this name
        return None
    fields.pop("exc_info", None)
    return exc


def _from_field(fields: Mapping[str, object]) -> BaseException | None:
    """Return the exception in the field `error`, or else the first one that was raised."""
    error = fields.get("error")
    if _is_exception(error):
        return error
    raised = (each for each in fields.values() if _is_exception(each) and each.__traceback__)
    return next(raised, None)


def _is_exception(value: object) -> TypeGuard[BaseException]:
    # By its type alone: a value may raise when it is asked for its class.
    return issubclass(type(value), BaseException)
