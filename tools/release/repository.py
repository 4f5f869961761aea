"""What git knows of this repository, and the one thing asked of it: a tag."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# Set by git for its hooks; they would point at another repository than the one asked.
_LEAKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_SHOWN = 12


class GitError(Exception):
    """A git command failed; the message holds the command and its words."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository whose working tree starts at `root`."""

    root: Path

    def head(self) -> str:
        """Tell the commit that is checked out."""
        return self.commit("HEAD")

    def commit(self, revision: str) -> str:
        """Tell the commit that a revision means.

        Raises:
            GitError: There is no such revision.
        """
        return self._git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")

    def epoch(self, revision: str) -> int:
        """Tell when a commit was made: seconds since 1970."""
        return int(self._git("log", "-1", "--format=%ct", revision))

    def branch(self) -> str:
        """Name the branch that is checked out; empty when none is."""
        return self._git("branch", "--show-current")

    def has(self, revision: str) -> bool:
        """Tell whether a revision is there."""
        try:
            self.commit(revision)
        except GitError:
            return False
        return True

    def holds(self, revision: str, path: str) -> bool:
        """Tell whether a revision has anything at a path."""
        return bool(self._git("ls-tree", "--name-only", revision, "--", path))

    def read(self, revision: str, path: str) -> str:
        """Read a text file as a revision has it."""
        return self._run("cat-file", "blob", f"{revision}:{path}").decode("utf-8")

    def reaches(self, revision: str, commit: str) -> bool:
        """Tell whether a revision's history holds a commit."""
        return not self._git("rev-list", "--max-count=1", commit, f"^{revision}")

    def dirt(self) -> list[str]:
        """List what differs from the commit: edited, new and deleted files."""
        return self._git("status", "--porcelain", "--untracked-files=all").splitlines()

    def tags(self) -> list[str]:
        """List the tags."""
        return self._git("tag").splitlines()

    def commits(self, since: str, path: str) -> list[str]:
        """List the commits that changed a path, newest first; `since` may be empty."""
        span = f"{since}..HEAD" if since else "HEAD"
        return self._git("log", "--no-merges", "--format=%h %s", span, "--", path).splitlines()

    def changed(self, since: str, path: str) -> list[str]:
        """List the files below a path that differ from `since`; empty means all of them."""
        if since:
            return self._git("diff", "--name-only", since, "HEAD", "--", path).splitlines()
        return self._git("ls-tree", "-r", "--name-only", "HEAD", "--", path).splitlines()

    def export(self, revision: str, paths: Iterable[str], target: Path) -> None:
        """Write some paths as a revision has them, whatever the working tree looks like."""
        target.mkdir(parents=True, exist_ok=True)
        held = self._run("-c", "core.autocrlf=false", "archive", revision, "--", *paths)
        with tarfile.open(fileobj=io.BytesIO(held)) as archive:
            archive.extractall(target, filter="data")

    def tag(self, name: str, commit: str, message: str) -> None:
        """Make an annotated tag of a commit, here and nowhere else."""
        # Verbatim, because git takes a line of the notes that starts with # for a comment.
        self._git("tag", "--annotate", "--cleanup=verbatim", "--message", message, name, commit)

    def _git(self, *argv: str) -> str:
        return self._run(*argv).decode("utf-8", "replace").strip("\n")

    def _run(self, *argv: str) -> bytes:
        command = ["git", "-C", os.fspath(self.root), *argv]
        try:
            ran = subprocess.run(command, check=False, capture_output=True, env=_environment())
        except FileNotFoundError as exc:
            raise GitError("there is no git on this machine; install it") from exc
        if ran.returncode:
            said = ran.stderr.decode("utf-8", "replace").strip()
            raise GitError(f"git {' '.join(argv)}: {said}")
        return ran.stdout


def shortened(lines: list[str]) -> list[str]:
    """Keep the first lines of a long list, and say how many are left out."""
    left = len(lines) - _SHOWN
    return lines if left <= 1 else [*lines[:_SHOWN], f"... and {left} more"]


def _environment() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _LEAKS}
