"""Objects that a program made itself, checked like those that are loaded."""

from mist.config.diagnose import convert
from mist.config.plain import plain
from mist.config.provenance import Provenance
from mist.config.schema import schema


def validate(obj: object) -> None:
    """Check an object against its annotations and their constraints, and its `__post_init__`.

    Args:
        obj: a msgspec Struct or a dataclass, which may have been changed since it was made; its
            `__post_init__`, and those of its sections, run again on a copy.

    Raises:
        ConfigError: Something is wrong; it has every problem.
        ConfigTypeError: It is no such object, or its type has a field that no configuration can have.
    """
    provenance = Provenance(schema(type(obj)))
    provenance.tree = plain(provenance.root, obj)
    convert(provenance)
