"""The command `mist-bindings`."""

import argparse
import importlib
import json
import re
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from mist.bindings.asyncapi import asyncapi
from mist.bindings.errors import BindingsError
from mist.bindings.generation import export, generate, own_protocol, render, stale
from mist.bindings.languages import language_names, renderer
from mist.bindings.model import Protocol
from mist.bindings.schemas import schema
from mist.bindings.shipped import CLIENTS, shipped_languages
from mist.bindings.writing import write_files
from mist.protocol import version_info

# The exit codes of the MIST stack for the standard error codes that occur here.
_EXIT: Final = {"internal": 1, "validation": 2, "not_found": 3, "conflict": 10, "cancelled": 130}

_MOST_NAMED = 5  # files that were written; of more, their number is told

_DESCRIPTION = """\
Clients of the MIST protocol for programs that do not use mist, and its schemas: generated from
the payload classes of mist-protocol, and from your own."""

_EPILOG = """\
examples:
  mist-bindings export python ./vendor          one file, any Python from 3.8
  mist-bindings export typescript ./client      an npm package, Node 20 or a browser
  mist-bindings generate typescript ./client --import acme.messages
  mist-bindings schema --import acme.messages > acme.schema.json
  mist-bindings asyncapi > mist.asyncapi.json
  mist-bindings check typescript ./client --import acme.messages   (in your CI)

exit status:
  0 done   1 failed   2 bad input   3 no such language or module
  10 a file is in the way, or a client is out of date   130 interrupted"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        with _working_directory_first():
            return run(arguments)
    except BindingsError as error:
        return _fail(str(error), error.code)
    except BrokenPipeError:
        # Who read the output has seen enough; Python would complain once more when it exits.
        sys.stdout = None
        return _EXIT["internal"]
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}", "internal")
    except KeyboardInterrupt:
        return _fail("interrupted", "cancelled")


def _fail(text: str, code: str) -> int:
    print(f"mist-bindings: {text}", file=sys.stderr)  # noqa: T201  # where errors go
    return _EXIT[code]


class _Version(argparse.Action):
    """Shows the versions, looking them up only then."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        _namespace: argparse.Namespace,
        _values: object,
        _option: str | None = None,
    ) -> None:
        from importlib.metadata import version  # noqa: PLC0415  # longer than the rest of the start

        print(f"mist-bindings {version('mist-bindings')} ({version_info()})")  # noqa: T201  # asked for
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "mist-bindings",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
        command = commands.add_parser(name, help=text, description=f"{text}.")
        command.set_defaults(run=run)
        return command

    generating = add("generate", _generate, "Generate a client, your own payloads included")
    _add_target(generating)
    _add_imports(generating)
    _add_force(generating)
    exporting = add("export", _export, "Copy the ready-made client for the stack's own payloads")
    _add_target(exporting)
    _add_force(exporting)
    for name, run, text in (
        ("schema", _schema, "Write the JSON Schema of the envelope and of every payload"),
        ("asyncapi", _asyncapi, "Write the AsyncAPI 3 document of the protocol"),
    ):
        command = add(name, run, text)
        command.add_argument(
            "--output", "-o", metavar="FILE", type=Path, help="file (default: standard output)"
        )
        _add_imports(command)
        _add_force(command)
    checking = add("check", _check, "Tell whether a generated client is up to date")
    _add_target(checking, optional=True)
    _add_imports(checking)
    checking.add_argument(
        "--write", action="store_true", help="bring it up to date instead of failing"
    )
    return parser


def _add_target(command: Any, *, optional: bool = False) -> None:
    how = {"nargs": "?"} if optional else {}
    languages = ", ".join(language_names())
    without = "; without one, the clients in this package are checked" if optional else ""
    command.add_argument("language", help=languages + without, **how)
    command.add_argument("directory", type=Path, help="where the client is put", **how)


def _add_imports(command: Any) -> None:
    command.add_argument(
        "--import",
        dest="modules",
        metavar="MODULE",
        action="append",
        default=[],
        help="import this module first, whose classes are registered with payload_type;"
        " may be given several times; the working directory is searched too",
    )


def _add_force(command: Any) -> None:
    command.add_argument(
        "--force", action="store_true", help="overwrite files that were not generated"
    )


def _generate(arguments: argparse.Namespace) -> int:
    _import(arguments.modules)
    written = generate(arguments.language, arguments.directory, force=arguments.force)
    _tell(written, arguments.directory)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    written = export(arguments.language, arguments.directory, force=arguments.force)
    _tell(written, arguments.directory)
    return 0


def _schema(arguments: argparse.Namespace) -> int:
    return _write_document(schema, arguments)


def _asyncapi(arguments: argparse.Namespace) -> int:
    return _write_document(asyncapi, arguments)


def _check(arguments: argparse.Namespace) -> int:
    if arguments.language is None:
        return _check_shipped(write=arguments.write)
    if arguments.directory is None:
        raise BindingsError("name the directory of the client to check")
    _import(arguments.modules)
    texts = render(arguments.language)
    if arguments.write:
        _tell(write_files(arguments.directory, texts), arguments.directory)
        return 0
    return _report(stale(arguments.directory, texts), f"{arguments.directory}/")


def _check_shipped(*, write: bool) -> int:
    """Hold what is generated of the clients in this package against what would be now."""
    out_of_date: list[str] = []
    for name in shipped_languages():
        texts = renderer(name)(own_protocol())
        if write:
            _tell(write_files(CLIENTS / name, texts), CLIENTS / name)
        else:
            out_of_date += [f"{name}/{each}" for each in stale(CLIENTS / name, texts)]
    return _report(out_of_date, "")


def _report(names: list[str], prefix: str) -> int:
    if names:
        listed = ", ".join(prefix + name for name in names)
        return _fail(f"out of date: {listed}; run the same command with --write", "conflict")
    return 0


def _write_document(
    make: Callable[[Protocol | None], dict[str, Any]], arguments: argparse.Namespace
) -> int:
    _import(arguments.modules)
    text = json.dumps(make(None), indent=2, ensure_ascii=False) + "\n"
    if arguments.output is None:
        if sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]  # a shell closed it
            raise BindingsError("there is no standard output; name a file with --output")
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        output: Path = arguments.output
        written = write_files(output.parent, {output.name: text}, force=arguments.force)
        _tell(written, output.parent)
    return 0


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        if re.search(r"[/\\]|\.py$", name):
            module = ".".join(re.findall(r"[^/\\.]+", name.removesuffix(".py")))
            raise BindingsError(f"cannot import {name}: it is a path; name the module, {module}")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise BindingsError(f"cannot import {name}: {error}", code="not_found") from error
        except (
            Exception,
            SystemExit,
        ) as error:  # whatever a user's module raises is theirs to read
            raise BindingsError(f"cannot import {name}: {type(error).__name__}: {error}") from error


@contextmanager
def _working_directory_first() -> Generator[None]:
    """Find modules beside the caller, as `python -m` does, where a command does not."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        sys.path.pop(0)


def _tell(paths: Sequence[Path], directory: Path) -> None:
    """Say on standard error what was done; standard output is for documents."""
    lines: list[str] = []
    for done, concerned in (
        ("wrote", [path for path in paths if path.exists()]),
        ("removed", [path for path in paths if not path.exists()]),
    ):
        many = len(concerned) > _MOST_NAMED
        lines += (
            [f"{done} {len(concerned)} files in {directory}"]
            if many
            else [f"{done} {path}" for path in concerned]
        )
    for line in lines or ["nothing to write: all is up to date"]:
        print(line, file=sys.stderr)  # noqa: T201  # what the command is for
