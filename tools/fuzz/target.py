"""A target: something that reads what strangers wrote, and what must hold whatever they wrote."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import tools.fuzz.targets


class UnknownTargetError(LookupError):
    """There is no target of that name; the message lists those that there are."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file of `tools/fuzz/targets`, or a module that looks like one.

    Attributes:
        module: The module's name.
        invariant: What must hold, from its docstring.
        check: Raises, of whatever kind, where an input breaks the invariant.
        seeds: Gives inputs to begin with.
        tokens: Texts worth putting into an input.
    """

    module: str
    invariant: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    tokens: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the target is called on the command line."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @classmethod
    def load(cls, name: str) -> "Target":
        """Import a target, by its name or, if it is somewhere else, by its module's.

        Raises:
            UnknownTargetError: There is none.
        """
        name = name.replace("-", "_")
        if "." not in name:
            if name not in names():
                raise UnknownTargetError(f"no target {name!r}; there are {', '.join(names())}")
            name = f"{tools.fuzz.targets.__name__}.{name}"
        module = importlib.import_module(name)
        return cls(
            module=name,
            invariant=" ".join((module.__doc__ or "").split()),
            check=module.check,
            seeds=module.seeds,
            tokens=tuple(module.TOKENS),
        )


def names() -> list[str]:
    """List the targets that there are."""
    return [each.name for each in pkgutil.iter_modules(tools.fuzz.targets.__path__)]
