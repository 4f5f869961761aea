"""Build wheels and sdists, and read from the wheels who needs whom."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement
from uv import find_uv_bin

from tools.in_parallel import in_parallel
from tools.isolate.process import run
from tools.workspace import Distribution, Workspace, normalize


class BuildError(Exception):
    """A distribution does not build, or what was built does not hold together."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel built from an sdist, with the sdist and a wheel built straight from the source."""

    distribution: Distribution
    path: Path
    sdist: Path
    direct: Path

    @property
    def uri(self) -> str:
        """The wheel as a requirement can name it."""
        return self.path.as_uri()

    def metadata(self) -> Message:
        """Read METADATA."""
        return metadata(self.path)

    def requirements(self) -> list[Requirement]:
        """List what an installation without extras needs."""
        found = map(Requirement, self.metadata().get_all("Requires-Dist", []))
        return [r for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]


def metadata(wheel: Path) -> Message:
    """Read a wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


async def build(
    workspace: Workspace,
    names: Iterable[str],
    source: Path,
    target: Path,
    jobs: int,
    *,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> dict[str, Wheel]:
    """Build the named distributions from `source` into `target`, `jobs` at a time.

    `options` and `env` go to each `uv build`.

    Raises:
        BuildError: One does not build, which stops the others; the message holds the output.
    """
    chosen = [workspace.distributions[name] for name in names]

    async def one(distribution: Distribution) -> Wheel:
        project = source / distribution.directory.relative_to(workspace.root)
        built, direct = target / "built", target / "direct"
        # Without options uv builds the sdist, and the wheel from that sdist.
        await uv_build(project, built / distribution.name, *options, env=env)
        await uv_build(project, direct / distribution.name, "--wheel", *options, env=env)
        return Wheel(
            distribution=distribution,
            path=_only(built / distribution.name, "*.whl"),
            sdist=_only(built / distribution.name, "*.tar.gz"),
            direct=_only(direct / distribution.name, "*.whl"),
        )

    wheels = await in_parallel([partial(one, each) for each in chosen], jobs, show=False)
    return {wheel.distribution.name: wheel for wheel in wheels}


def closure(name: str, wheels: Mapping[str, Wheel], workspace: Workspace) -> set[str]:
    """Collect the siblings that installing a wheel brings, itself included.

    Raises:
        BuildError: A sibling that a wheel requires was not built.
    """
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        if current not in wheels:
            raise BuildError(f"the closure of {name} needs {current}, which was not built")
        found.add(current)
        required = (normalize(each.name) for each in wheels[current].requirements())
        waiting.extend(each for each in required if each in workspace.distributions)
    return found


def declared_closure(names: Iterable[str], workspace: Workspace) -> set[str]:
    """Collect what has to be built for some distributions, by their pyproject.toml."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            siblings = workspace.siblings(workspace.distributions[current].dependencies)
            waiting.extend(each.name for each in siblings)
    return found


async def uv_build(
    project: Path, target: Path, *options: str, env: Mapping[str, str] | None = None
) -> None:
    """Build a project's sdist and the wheel from it, or what `options` ask for.

    Raises:
        BuildError: It does not build; the message holds the output.
    """
    built = await run(
        find_uv_bin(), "build", *options, "--out-dir", target, project, cwd=project, env=env
    )
    if not built.ok:
        raise BuildError(f"{project.name} does not build\n{built}")


def _only(directory: Path, pattern: str) -> Path:
    (path,) = directory.glob(pattern)
    return path
