"""What a wheel and an sdist must hold, and must not."""

import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tools.isolate.wheels import Wheel


def check_content(wheel: Wheel, project: Path) -> Iterator[str]:
    """Yield what is wrong with the archives built from `project`."""
    distribution = wheel.distribution
    files = _crcs(wheel.path)
    info = f"{distribution.name.replace('-', '_')}-{distribution.version}.dist-info/"
    shipped = {name for name in files if not name.startswith(info)}
    source = {
        path.relative_to(project / "src").as_posix()
        for path in (project / "src").rglob("*")
        if path.is_file()
    }
    package = distribution.module.replace(".", "/") + "/"
    if "mist/__init__.py" in files:
        yield "the wheel holds mist/__init__.py, which would hide every other distribution"
    for name in sorted(n for n in shipped if not n.startswith(package)):
        yield f"the wheel holds {name}, which is not below {package}"
    for name in sorted(source - shipped):
        yield f"the wheel lacks {name}"
    for name in sorted(shipped - source):
        yield f"the wheel holds {name}, which the source does not"
    if source and f"{package}py.typed" not in files:
        yield f"the wheel lacks {package}py.typed"
    if not any(name.startswith(info) and name.endswith("/LICENSE") for name in files):
        yield "the wheel lacks LICENSE"
    if not wheel.path.name.endswith("-py3-none-any.whl"):
        yield f"the wheel is not for every Python 3 and platform: {wheel.path.name}"
    if files != _crcs(wheel.direct):
        yield "the wheel built from the sdist differs from the one built from the source"
    yield from _metadata(wheel)
    yield from _sdist(wheel.sdist, project)


def _metadata(wheel: Wheel) -> Iterator[str]:
    distribution, metadata = wheel.distribution, wheel.metadata()
    wanted = {
        "Name": distribution.name,
        "Version": distribution.version,
        "Requires-Python": distribution.requires_python.text,
        "License-Expression": "MIT",
    }
    for field, value in wanted.items():
        if metadata[field] != value:
            yield f"METADATA says {field}: {metadata[field]}, pyproject.toml says {value}"


def _sdist(path: Path, project: Path) -> Iterator[str]:
    with tarfile.open(path) as archive:
        held = {member.name.partition("/")[2] for member in archive if member.isfile()}
    wanted = {p.relative_to(project).as_posix() for p in project.rglob("*") if p.is_file()}
    for name in sorted(wanted - held):
        yield f"the sdist lacks {name}"
    for name in sorted(held - wanted - {"PKG-INFO", ".gitignore"}):
        yield f"the sdist holds {name}, which the source does not"


def _crcs(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info.CRC for info in archive.infolist()}
