"""The table that shows a record, or a list of records."""

from collections.abc import Sequence

from mist.output.table import Table, build_table
from mist.output.values import record_of


def table_of(value: object) -> Table | None:
    """Return the table that shows `value`: a record as field and value, records as rows, else None."""
    record = record_of(value)
    if record is not None:
        return build_table(("field", "value"), record.items())
    if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray | memoryview):
        return None
    records = [record_of(item) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # members are anything
    named = [record for record in records if record is not None]
    if not named or len(named) < len(records):
        return None
    keys = list(dict.fromkeys(key for record in named for key in record))
    return build_table(keys, ([record.get(key) for key in keys] for record in named))
