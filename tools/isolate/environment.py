"""A clean virtual environment that takes siblings from the wheels built here and nowhere else."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tools.isolate.process import Finished, run
from tools.isolate.wheels import Wheel


@dataclass(frozen=True, slots=True)
class Environment:
    """One virtual environment below `directory`, made for one interpreter."""

    directory: Path

    @property
    def scripts(self) -> Path:
        """Where its commands are."""
        return self.directory / "venv" / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.scripts / ("python.exe" if sys.platform == "win32" else "python")

    async def create(self, interpreter: str) -> Finished:
        """Make it, empty."""
        self.directory.mkdir(parents=True)
        venv = self.directory / "venv"
        return await run(
            find_uv_bin(), "venv", "--quiet", "--python", interpreter, venv, cwd=self.directory
        )

    async def install(
        self, requirements: Iterable[str], wheels: Mapping[str, Wheel], *options: str
    ) -> Finished:
        """Install requirements; what is installed already stays as it is.

        Every sibling is pinned to the path of its wheel, so that no index is asked for it.
        """
        frozen = await self._uv("freeze")
        pins = {f"{name} @ {wheel.uri}" for name, wheel in wheels.items()}
        pins |= {line for line in frozen.output.splitlines() if "==" in line}
        constraints = self.directory / "constraints.txt"
        constraints.write_text("\n".join(sorted(pins)) + "\n", encoding="utf-8")
        return await self._uv("install", "--constraint", constraints, *options, *requirements)

    async def check(self) -> Finished:
        """Tell whether all that is installed fits together."""
        return await self._uv("check")

    async def run(self, *argv: str | os.PathLike[str], cwd: Path, **env: str) -> Finished:
        """Run a command as if this environment were activated."""
        path = os.pathsep.join([str(self.scripts), os.environ.get("PATH", "")])
        return await run(
            *argv, cwd=cwd, env={"PATH": path, "VIRTUAL_ENV": str(self.directory / "venv"), **env}
        )

    async def _uv(self, command: str, *argv: str | os.PathLike[str]) -> Finished:
        return await run(
            find_uv_bin(), "pip", command, "--python", self.python, *argv, cwd=self.directory
        )
