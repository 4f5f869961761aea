"""A clean copy of what the repository holds, so that nothing stale gets into a build."""

import shutil
from pathlib import Path

from tools.isolate.process import run

_STALE = ("__pycache__", "*.egg-info", ".*_cache", ".venv", ".hypothesis", "dist", "build")


async def export(root: Path, target: Path) -> None:
    """Copy `packages/` and the root's `pyproject.toml` as git sees them, edits included.

    Without git, everything is copied but what builds and tests leave behind.
    """
    wanted = ("packages", "pyproject.toml")
    listed = await run(
        "git",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        *wanted,
        cwd=root,
    )
    if not listed.ok:
        shutil.copytree(
            root / "packages", target / "packages", ignore=shutil.ignore_patterns(*_STALE)
        )
        shutil.copy2(root / "pyproject.toml", target)
        return
    for name in filter(None, listed.output.split("\0")):
        if (root / name).is_file():  # else deleted, but not yet from git's index
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
