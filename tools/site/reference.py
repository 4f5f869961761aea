"""An extension of Griffe, which reads the sources for the API reference."""

from collections.abc import Iterator
from typing import Any

import griffe


class Public(griffe.Extension):
    """Shows the packages as those who import them see them."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Correct a package when all of it is loaded."""
        exported = [
            (module, name, module.members[name])
            for module in _modules(pkg)
            for name in map(str, module.exports or ())
            if name in module.members
        ]
        for _module, _name, member in exported:
            # Followed now, before what it points to is hidden behind a function of the same name.
            target = member.final_target if isinstance(member, griffe.Alias) else member
            if isinstance(target, griffe.Class):
                _say_once(target)
        for module, name, member in exported:
            if isinstance(member, griffe.Module) and name in member.members:
                # `mist.trace.carry` is the function, although a file has the same name.
                module.set_member(name, griffe.Alias(name, member.members[name], parent=module))


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for each in module.modules.values():
        if not each.is_alias:
            yield from _modules(each)


def _say_once(each: griffe.Class) -> None:
    """Leave out attributes without words of their own that the class's docstring describes."""
    for section in each.docstring.parsed if each.docstring else ():  # kept, with their types
        if isinstance(section, griffe.DocstringSectionAttributes):
            for described in section.value:
                member = each.members.get(described.name)
                if member and member.is_attribute and not member.has_docstring:
                    each.del_member(described.name)
