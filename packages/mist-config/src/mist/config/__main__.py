"""`python -m mist.config`: check a file, explain its values, list the variables."""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from mist.config.environment import normal_prefix, variable_name
from mist.config.expected import expected
from mist.config.explain import columns, display, explain
from mist.config.load import load
from mist.config.node import Field, leaves
from mist.config.problem import ConfigError, ConfigWarning
from mist.config.schema import schema
from mist.config.value import KeyPath, dotted, printable

_DESCRIPTION = """\
Check a TOML configuration file against the Struct or dataclass that it is for, without starting
the program.
"""
_EPILOG = """\
examples:
  python -m mist.config check app.toml acme.settings:Settings
  python -m mist.config check app.toml acme.settings:Settings --prefix ACME --env
  python -m mist.config explain app.toml acme.settings:Settings
  python -m mist.config env acme.settings:Settings --prefix ACME

exit status:
  0  the configuration is right
  1  the program has a fault: the module fails to import, or the type has a field of a kind that
     no configuration can have
  2  the configuration or the command line is wrong
  3  there is no such module, or no such type in it

The working directory is searched for the module first.
"""


class _TargetError(Exception):
    """The type to check against cannot be had; args are the exit status and the reason."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        argv: the words behind the program's name; those of the process if not given.

    Returns:
        The exit status, as `--help` lists them.
    """
    args = _parser().parse_args(argv)
    if getattr(args, "env", False) and args.prefix is None:
        _parser().error("--env needs --prefix, which tells the program's variables from all others")
    command: Callable[[Any, argparse.Namespace], None] = args.run
    try:
        command(_target(args.target), args)
    except ConfigError as exc:
        return _fail(2, str(exc))
    except _TargetError as exc:
        return _fail(*exc.args)
    except TypeError as exc:
        return _fail(1, printable(str(exc)))
    return 0


def _check(target: Any, args: argparse.Namespace) -> None:
    _load(target, args)


def _explain(target: Any, args: argparse.Namespace) -> None:
    _say(str(explain(_load(target, args))))


def _env(target: Any, args: argparse.Namespace) -> None:
    prefix = normal_prefix(args.prefix or "")
    rows = [
        (
            variable_name(prefix, path),
            dotted(path),
            _default(path, fields),
            expected(fields[-1].node),
        )
        for path, fields in leaves(schema(target))
    ]
    _say(columns(rows))


def _default(path: KeyPath, fields: Sequence[Field]) -> str:
    """What a field is where nothing sets it; a section's own default counts before the field's."""
    value: Any = None
    for field in fields:
        if value is not None:
            value = getattr(value, field.name, None)
        elif field.default is not None:
            value = field.default()
        elif field is fields[-1]:
            return "required"
    return display(fields[-1].node, value, path)


def _load(target: Any, args: argparse.Namespace) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConfigWarning)
        made = load(
            args.file,
            args.prefix or "",
            target,
            env=os.environ if args.env else {},
            unknown=args.unknown,
            unknown_env=args.unknown,
        )
    for each in caught:
        sys.stderr.write(f"warning: {each.message}\n")
    return made


def _target(spec: str) -> Any:
    """The type that `module:Type` names."""
    module, _, name = spec.partition(":")
    if not module or not name:
        raise _TargetError(2, f"{spec}: write it as module:Type")
    if "" not in sys.path and os.getcwd() not in sys.path:  # noqa: PTH109  # as sys.path has it
        sys.path.insert(0, os.getcwd())  # noqa: PTH109  # as sys.path has it
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as exc:
        inner = "" if f"{module}.".startswith(f"{exc.name}.") else f", which {module} imports"
        raise _TargetError(3, f"there is no module {exc.name}{inner}") from exc
    except Exception as exc:  # importing runs a program of any kind
        raise _TargetError(1, f"{module} fails to import: {type(exc).__name__}: {exc}") from exc
    for part in name.split("."):
        if not hasattr(found, part):
            raise _TargetError(3, f"{module} has no {name}")
        found = getattr(found, part)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mist.config",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, about in (
        ("check", _check, "say what is wrong with a file, on stderr; silent if nothing is"),
        ("explain", _explain, "list every value and where it comes from, secrets masked"),
        ("env", _env, "list every variable, its key in the file, and what belongs in it"),
    ):
        command = commands.add_parser(name, help=about, description=f"{about.capitalize()}.")
        command.set_defaults(run=run)
        if name != "env":
            command.add_argument("file", metavar="FILE", help="the TOML file")
        command.add_argument(
            "target", metavar="module:Type", help="the msgspec Struct or dataclass that it is for"
        )
        command.add_argument("--prefix", help="what the program's variables start with")
        if name != "env":
            command.add_argument(
                "--env", action="store_true", help="lay the variables of this environment over it"
            )
            command.add_argument(
                "--unknown",
                choices=("warn", "error", "ignore"),
                default="warn",
                help="what becomes of keys and variables that mean nothing (default: %(default)s)",
            )
    return parser


def _say(text: str) -> None:
    if text:
        sys.stdout.write(f"{text}\n")


def _fail(status: int, text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
