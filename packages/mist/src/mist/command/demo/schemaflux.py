"""schemaflux: compiles a dataset, from the CSV file of a person to entities of one schema.

It sends a `data.schema` message with the fields that it has found, then a `data.entities` message
that tells where the entities are: a file of JSON lines.
"""

import csv
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from mist import trace
from mist.command.demo.desk import Desk
from mist.errors import Code, MistError
from mist.protocol import DataEntities, DataSchema, MessageType, SchemaField
from mist.transport import TransportError

Row = dict[str, str]

# The first that takes every value of a column is its type.
_TYPES: Final[tuple[tuple[str, Callable[[str], Any]], ...]] = (
    ("integer", int),
    ("number", float),
    ("string", str),
)


async def run_schemaflux(desk: Desk) -> None:
    """Compile the dataset of the run and say what came of it."""
    with trace.start("schemaflux.compile") as span:
        rows = read_rows(desk.directory / "dataset.csv")
        fields = infer_fields(rows)
        lines = [json.dumps(entity(row, fields)) for row in rows]
        path = desk.directory / "entities.jsonl"
        data = "".join(f"{line}\n" for line in lines).encode()
        replace_file(path, data)
        span.set_attr("entities", len(rows))
    desk.metrics.counter("entities_compiled").add(len(rows))
    desk.log.info("compiled", entities=len(rows), path=str(path))

    await desk.send(MessageType.DATA_SCHEMA, DataSchema("exam", fields))
    entities = DataEntities(
        len(rows), "jsonl", str(path), schema="exam", checksum=f"crc32:{zlib.crc32(data):08x}"
    )
    await desk.send(MessageType.DATA_ENTITIES, entities)


def read_rows(path: Path) -> list[Row]:
    """Read a CSV file, without the white space around its values.

    Raises:
        MistError: Code `validation`: a line has too few or too many values.
    """
    rows: list[Row] = []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for row in reader:
            if None in row or None in row.values():
                raise MistError(
                    Code.VALIDATION, f"{path}:{reader.line_num}: wrong number of values"
                )
            rows.append({name: value.strip() for name, value in row.items()})
    return rows


def infer_fields(rows: list[Row]) -> list[SchemaField]:
    """Find out what each column holds, and whether every row has it."""
    names = rows[0] if rows else ()
    return [
        SchemaField(name, _type_of([row[name] for row in rows]), all(row[name] for row in rows))
        for name in names
    ]


def entity(row: Row, fields: list[SchemaField]) -> dict[str, Any]:
    """Make a row what the schema says; what it has no value for is left out."""
    make: dict[str, Callable[[str], Any]] = dict(_TYPES)
    return {each.name: make[each.type](row[each.name]) for each in fields if row[each.name]}


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that its readers see the old one or the new one.

    Raises:
        TransportError: It cannot be written; its code tells why.
    """
    new = path.with_suffix(f".{os.getpid()}")
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError as exc:
        raise TransportError.from_os_error(exc, f"cannot write {path}") from exc


def _type_of(values: list[str]) -> str:
    return next(name for name, make in _TYPES if _takes_all(make, values))


def _takes_all(make: Callable[[str], Any], values: list[str]) -> bool:
    try:
        for value in filter(None, values):
            make(value)
    except ValueError:
        return False
    return True
