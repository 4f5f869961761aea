"""Loaded by each Python that the tests run in: slow callbacks are the machine's affair, not ours.

In its debug mode asyncio reports each callback that takes a tenth of a second, which on a busy
machine any does. It is told to when it is imported, so that nothing else is imported for it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SECONDS = 60.0


class _Patience:
    """A finder that lets others find a module, and changes what it has loaded."""

    @classmethod
    def find_spec(cls, name: str, path: Any, target: Any = None) -> Any:
        """Find `asyncio.base_events`, once."""
        if name != "asyncio.base_events":
            return None
        sys.meta_path.remove(cls)
        found = (each.find_spec(name, path, target) for each in sys.meta_path)
        spec: Any = next(filter(None, found))
        load = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            load(module)
            begin = module.BaseEventLoop.__init__

            def __init__(self: Any) -> None:  # noqa: N807  # takes that method's place
                begin(self)
                self.slow_callback_duration = _SECONDS

            module.BaseEventLoop.__init__ = __init__

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Patience)
