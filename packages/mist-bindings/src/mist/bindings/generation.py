"""Clients, put together and written into a directory."""

import os
from collections.abc import Mapping
from pathlib import Path

from mist.bindings.errors import BindingsError
from mist.bindings.inspection import OWN_TYPES, describe
from mist.bindings.languages import renderer
from mist.bindings.mark import marked
from mist.bindings.model import Protocol
from mist.bindings.shipped import read_client
from mist.bindings.writing import left_over, read_file, write_files


def render(language: str, protocol: Protocol | None = None) -> Mapping[str, str]:
    """Return the text of each file of a client, by its relative path.

    Args:
        language: `python`, `typescript`, or another module of `mist.bindings.languages`.
        protocol: What to generate for; by default every payload that is registered.

    Raises:
        BindingsError: There is no such language, or a payload has no form in it.
    """
    render_for = renderer(language)
    protocol = describe() if protocol is None else protocol
    generated = render_for(protocol)
    runtime = {
        path: marked(path, text, protocol.version)
        for path, text in read_client(language).items()
        if path not in generated
    }
    return runtime | dict(generated)


def generate(
    language: str,
    out_dir: str | os.PathLike[str],
    *,
    protocol: Protocol | None = None,
    force: bool = False,
) -> list[Path]:
    """Generate a client into a directory, and return the files that were written or removed.

    Removed is what an older client had in its own directories, such as `lib`, and this one has not.

    Payload classes registered with `mist.protocol.payload_type` are part of it: import the
    modules that hold yours first.

    Args:
        language: `python` (one file, standard library only) or `typescript` (an npm package).
        out_dir: Where to; made if it is not there.
        protocol: What to generate for; by default every payload that is registered.
        force: Whether to overwrite files that were not generated.

    Raises:
        BindingsError: There is no such language, a payload has no form in it, or a file that
            was not generated is in the way; nothing was written then.
        OSError: The file system refuses.
    """
    return write_files(Path(out_dir), render(language, protocol), force=force)


def export(language: str, out_dir: str | os.PathLike[str], *, force: bool = False) -> list[Path]:
    """Write the client that ships with this package, for the stack's own payloads.

    Arguments and errors are those of `generate`.
    """
    return generate(language, out_dir, protocol=own_protocol(), force=force)


def own_protocol() -> Protocol:
    """Return the protocol with the stack's own payloads, whatever else is registered."""
    return describe(OWN_TYPES)


def stale(directory: Path, texts: Mapping[str, str]) -> list[str]:
    """Return the files below a directory that are not as generated: changed, missing, left over."""
    if not directory.is_dir():
        raise BindingsError(f"{directory} is not a directory", code="not_found")
    differing = [
        name for name, text in texts.items() if not _holds(directory / name, text.encode())
    ]
    return sorted(differing + left_over(directory, texts))


def _holds(path: Path, wanted: bytes) -> bool:
    # Git on Windows may have checked it out with that system's line ends.
    return (read_file(path) or b"").replace(b"\r\n", b"\n") == wanted
