"""Configurations from files, variables and flags, or from what is decoded already."""

import os
import warnings
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from mist.config.assembly import Assembly
from mist.config.environment import Environment, normal_prefix
from mist.config.flags import Flags, flag_entries, override_entries
from mist.config.problem import ConfigError, ConfigTypeError, ConfigWarning, Problem
from mist.config.provenance import Provenance, remember
from mist.config.schema import schema
from mist.config.toml import missing_file, parse_document, read_document

T = TypeVar("T")
Unknown = Literal["warn", "error", "ignore"]

_SHOWN = 20  # warnings for one configuration


def load(
    path: str | os.PathLike[str] | None,
    prefix: str,
    target: type[T],
    *,
    env: Mapping[str, str] | None = None,
    optional: bool = False,
    unknown: Unknown = "warn",
    unknown_env: Unknown = "warn",
    overrides: Mapping[str, Any] | None = None,
    flags: Flags | None = None,
) -> T:
    """Load a configuration from a TOML file, the environment and the command line.

    What comes later wins: the type's defaults, the file, variables, `overrides`, `flags`. All
    inputs are left as they are.

    Args:
        path: the TOML file, of 4 MiB at most; None for none. Relative paths in it are relative to
            its directory, those from elsewhere to the working directory; `~` is the user's home in
            both.
        prefix: what variables start with: with `app`, the field `port` is `APP_PORT`, and `host`
            in the section `db` is `APP_DB__HOST`. With "" no variable counts as unknown.
        target: a msgspec Struct or a dataclass.
        env: the variables; `os.environ` if not given, `{}` for none.
        optional: whether the file may be missing.
        unknown: what becomes of keys that mean nothing: a ConfigWarning each, an error, nothing.
            A Struct with `forbid_unknown_fields=True` makes them errors in any case.
        unknown_env: the same for variables that start with the prefix.
        overrides: values by dotted path, as TOML or as text has them: `{"db.host": "x"}`.
        flags: the command whose flags lay over a field of their name, where the command line
            gives them: `--db-host` over `db.host`. A `mist.cli.Command` fits.

    Raises:
        ConfigError: Something is wrong; it has every problem.
        ConfigTypeError: The type has a field that no configuration can have.
    """
    if env is None:  # no default value: `help(load)` would print the variables, secrets and all
        env = os.environ
    root = schema(target)
    file, normal = os.fspath(path) if path is not None else "", normal_prefix(prefix)
    problems: list[Problem] = []
    try:
        text, tree = _read(path, optional=optional)
    except ConfigError as exc:
        problems, text, tree = list(exc.problems), "", {}
    provenance = Provenance(root, "file", file, text, normal if env else None)
    assembly = Assembly(provenance)
    assembly.start(tree, _directory(file) if file else None)
    environment = Environment(root, normal, env)
    for entry in environment.entries(assembly.tree):
        assembly.lay(entry)
    for found in override_entries(root, overrides or {}, assembly.tree):
        if isinstance(found, Problem):
            assembly.problems.append(found)
        else:
            assembly.lay(found)
    if flags is not None:
        for entry in flag_entries(root, flags):
            assembly.lay(entry)
    assembly.problems += environment.problems
    strays = [
        *_sort_out(assembly.problems, assembly.strays, unknown),
        *_sort_out(assembly.problems, environment.unknown, unknown_env),
    ]
    if problems:  # without the file's content, what is missing cannot be told
        raise ConfigError([*problems, *assembly.problems])
    made: T = _finish(assembly, provenance, strays)
    return made


def decode(mapping: Mapping[str, Any], target: type[T], *, unknown: Unknown = "warn") -> T:
    """Make a configuration of a mapping, such as `parse_toml` gives.

    Args:
        mapping: the values, as TOML has them; it stays as it is.
        target: a msgspec Struct or a dataclass.
        unknown: what becomes of keys that mean nothing: a ConfigWarning each, an error, nothing.

    Raises:
        ConfigError: Something is wrong; it has every problem.
        ConfigTypeError: The type has a field that no configuration can have, or the mapping is none.
    """
    if not isinstance(mapping, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # not all callers are typed
        raise ConfigTypeError(f"expected a mapping, got {type(mapping).__name__}")
    provenance = Provenance(schema(target))
    assembly = Assembly(provenance)
    assembly.start(mapping)
    strays = _sort_out(assembly.problems, assembly.strays, unknown)
    made: T = _finish(assembly, provenance, strays)
    return made


def _read(path: str | os.PathLike[str] | None, *, optional: bool) -> tuple[str, dict[str, Any]]:
    """The file's text and its tables."""
    if path is None:
        return "", {}
    try:
        text = read_document(path)
    except FileNotFoundError:
        if optional:
            return "", {}
        raise missing_file(path) from None
    return text, parse_document(text, os.fspath(path))


def _directory(file: str) -> str:
    return os.path.dirname(os.path.abspath(file))  # noqa: PTH100, PTH120  # pathlib takes long to load


def _sort_out(problems: list[Problem], strays: list[Problem], unknown: Unknown) -> list[Problem]:
    """Make what is unknown a problem if it shall be one, and give what is to be warned of."""
    if unknown == "error":
        problems += strays
    return strays if unknown == "warn" else []


def _finish(assembly: Assembly, provenance: Provenance, strays: list[Problem]) -> Any:
    made = assembly.finish()
    for stray in strays[:_SHOWN]:
        warnings.warn(str(stray), ConfigWarning, stacklevel=3)  # where `load` was called
    remember(made, provenance)
    return made
