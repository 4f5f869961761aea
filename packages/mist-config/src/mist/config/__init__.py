"""Typed configuration from TOML files, environment variables and command-line flags."""

from mist.config.explain import Explanation, Setting, explain
from mist.config.flags import Flags
from mist.config.load import decode, load
from mist.config.origin import Origin
from mist.config.problem import ConfigError, ConfigTypeError, ConfigWarning, Problem
from mist.config.quantity import ByteSize, Duration
from mist.config.secret import Secret
from mist.config.toml import parse_toml
from mist.config.validate import validate

__all__ = [
    "ByteSize",
    "ConfigError",
    "ConfigTypeError",
    "ConfigWarning",
    "Duration",
    "Explanation",
    "Flags",
    "Origin",
    "Problem",
    "Secret",
    "Setting",
    "decode",
    "explain",
    "load",
    "parse_toml",
    "validate",
]

for _public in (
    ConfigError,
    ConfigTypeError,
    ConfigWarning,
    Explanation,
    Flags,
    Origin,
    Problem,
    Secret,
    Setting,
    decode,
    explain,
    load,
    parse_toml,
    validate,
):
    _public.__module__ = __name__
del _public
