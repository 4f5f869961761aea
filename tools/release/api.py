"""What a package offers to import, and what of it a change breaks.

Public is what a module lists in `__all__`, and every member of it without a leading underscore. A
module without `__all__` is a file that happens to hold the code. Names are told as users import
them, wherever they are defined.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import griffe

from tools.release.bump import Change
from tools.release.repository import Repository
from tools.release.structs import Structs
from tools.workspace import Distribution, Workspace


@dataclass(frozen=True, slots=True)
class Difference:
    """What two versions of a package's public interface do not share."""

    added: tuple[str, ...] = ()
    breaking: tuple[str, ...] = ()

    @property
    def change(self) -> Change:
        """How grave it is."""
        if self.breaking:
            return Change.BREAKING
        return Change.ADDED if self.added else Change.NOTHING


@dataclass(frozen=True, slots=True)
class Interface:
    """One version of a package's public interface; `module` is None while there is no code."""

    module: griffe.Module | None

    @classmethod
    def load(cls, source: Path, name: str) -> "Interface":
        """Read a module below a source directory, without running any of its code.

        Only this directory is read: what a package inherits from a sibling, the sibling answers
        for.
        """
        if not source.joinpath(*name.split(".")).is_dir():
            return cls(None)
        loader = griffe.GriffeLoader(
            search_paths=[source],
            extensions=griffe.load_extensions(Structs()),
            allow_inspection=False,
        )
        loaded = loader.load(name, try_relative_path=False)
        assert isinstance(loaded, griffe.Module)
        loader.resolve_aliases(external=False)
        for module in _modules(loaded):
            module.public = module.exports is not None
        return cls(loaded)

    def names(self) -> dict[str, str]:
        """Map each public name to where it is defined."""
        found: dict[str, str] = {}
        for module in _modules(self.module) if self.module else ():
            for name, member in module.members.items():
                listed = module.exports is not None and name in module.exports
                if listed and not self._dangles(member):
                    found[f"{module.path}.{name}"] = _home(member)
        return found

    def _dangles(self, member: griffe.Object | griffe.Alias) -> bool:
        """Tell whether a name is imported from a file of the package that does not hold it."""
        if self.module is None or not isinstance(member, griffe.Alias):
            return False
        if not member.target_path.startswith(f"{self.module.path}."):
            return False
        try:
            return not member.final_target.path
        except (griffe.AliasResolutionError, griffe.CyclicAliasError):
            return True

    def lacks(self, module: str, name: str) -> bool:
        """Tell whether `from module import name` would fail."""
        if self.module is None:
            return True
        inner = module.removeprefix(self.module.path).lstrip(".")
        try:
            found = self.module[inner] if inner else self.module
        except (KeyError, griffe.AliasResolutionError):
            return True
        return name not in found.members


def compare(before: Interface, now: Interface) -> Difference:
    """Tell what `now` adds and what it breaks."""
    old, new = before.names(), now.names()
    # griffe is content with a name that is still there, even if it is not in `__all__` any more.
    breaking = [f"{name}: {_spelled(_REMOVED)}" for name in sorted(old.keys() - new.keys())]
    if before.module and now.module:
        public = {home: name for name, home in (new | old).items()}
        found = griffe.find_breaking_changes(before.module, now.module)
        breaking += [_explained(each, public) for each in found]
    return Difference(tuple(sorted(new.keys() - old.keys())), tuple(dict.fromkeys(breaking)))


def at(repository: Repository, revision: str, distribution: Distribution) -> Interface:
    """Read the interface that a distribution had at a revision."""
    source = distribution.directory.relative_to(repository.root) / "src"
    if not repository.holds(revision, source.as_posix()):
        return Interface(None)
    with tempfile.TemporaryDirectory(prefix="mist-api-") as directory:
        repository.export(revision, [source.as_posix()], Path(directory))
        return Interface.load(Path(directory) / source, distribution.module)


def difference(
    repository: Repository, workspace: Workspace, package: str, since: str, until: str = ""
) -> Difference:
    """Compare a package's interface at two revisions; no `until` means the working tree."""
    distribution = workspace.distributions[package]
    now = (
        at(repository, until, distribution)
        if until
        else Interface.load(distribution.directory / "src", distribution.module)
    )
    return compare(at(repository, since, distribution), now)


_REMOVED = griffe.BreakageKind.OBJECT_REMOVED


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for member in module.members.values():
        if isinstance(member, griffe.Module):
            yield from _modules(member)


def _home(member: griffe.Object | griffe.Alias) -> str:
    return member.target_path if isinstance(member, griffe.Alias) else member.path


def _explained(breakage: griffe.Breakage, public: dict[str, str]) -> str:
    """Say what is broken by the name users import, which is not always where it is defined."""
    head, tail = breakage.obj.path, ""
    while head and head not in public:
        head, _, last = head.rpartition(".")
        tail = f".{last}{tail}"
    where = f"{public[head]}{tail}" if head else breakage.obj.path
    old, new = breakage.old_value, breakage.new_value
    for parameter in (old, new):
        if isinstance(parameter, griffe.Parameter):
            where = f"{where.removesuffix('.__init__')}({parameter.name})"
            break
    return f"{where}: {_spelled(breakage.kind)}{_values(breakage.kind, old, new)}"


def _spelled(kind: griffe.BreakageKind) -> str:
    return kind.value[0].lower() + kind.value[1:]


def _values(kind: griffe.BreakageKind, old: object, new: object) -> str:
    if isinstance(old, griffe.Parameter) and isinstance(new, griffe.Parameter):
        if kind is griffe.BreakageKind.PARAMETER_CHANGED_DEFAULT:
            return f", from {old.default} to {new.default}"
        if kind is griffe.BreakageKind.PARAMETER_CHANGED_KIND and old.kind and new.kind:
            return f", from {old.kind.value} to {new.kind.value}"
    if kind is griffe.BreakageKind.OBJECT_CHANGED_KIND:
        return f", from {old} to {new}"
    return ""
