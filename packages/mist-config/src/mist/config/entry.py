"""A value from outside the file, and what it is for."""

from typing import Any

import msgspec

from mist.config.node import Node
from mist.config.origin import Origin
from mist.config.value import KeyPath


class Entry(msgspec.Struct, frozen=True):
    """One value that is to be laid over the file's.

    Args:
        path: where it belongs.
        node: what may stand there.
        value: text to be read, or any other value as it is.
        origin: where it comes from.
    """

    path: KeyPath
    node: Node
    value: Any
    origin: Origin
