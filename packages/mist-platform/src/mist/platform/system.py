"""Which system this is, in the words that Go uses (GOOS and GOARCH)."""

import sys

_OS_NAMES = {
    "win32": "windows",
    "cygwin": "windows",
    "sunos": "solaris",
    "emscripten": "js",
    "wasi": "wasip1",
}
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "x86": "386",
    "armv5tel": "arm",
    "armv6l": "arm",
    "armv7l": "arm",
    "armv8l": "arm",
    "loongarch64": "loong64",
    "wasm32": "wasm",
}
_32_BIT = {"amd64": "386", "arm64": "arm"}


def os_name() -> str:
    """Return the operating system's name as Go spells it: `linux`, `darwin`, `windows`, ..."""
    name = sys.platform.rstrip("0123456789") if sys.platform not in _OS_NAMES else sys.platform
    return _OS_NAMES.get(name, name)


def arch() -> str:
    """Return the processor architecture as Go spells it: `amd64`, `arm64`, `386`, ...

    As in Go, it is what this program was built for: a 32-bit interpreter on a 64-bit processor
    says `386` or `arm`.
    """
    import platform  # noqa: PLC0415  # costs more than the rest of this package

    machine = platform.machine().lower()
    name = _ARCHITECTURES.get(machine, machine)
    return name if sys.maxsize > 1 << 32 else _32_BIT.get(name, name)


def is_windows() -> bool:
    """Tell whether this is Windows."""
    return os_name() == "windows"
