"""What users write, checked by mypy and pyright and never run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

from mist.bindings import (
    BindingsError,
    Protocol,
    asyncapi,
    describe,
    export,
    generate,
    render,
)

protocol = describe(["infer.request"])
assert_type(protocol, Protocol)
assert_type(asyncapi(protocol), dict[str, Any])
assert_type(render("python", protocol), Mapping[str, str])
assert_type(export("typescript", Path("clients"), force=True), list[Path])
generate("python", "clients")
wrong: Exception = BindingsError("no such language")

# Wrong programs do not type-check.
export("typescript", 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
