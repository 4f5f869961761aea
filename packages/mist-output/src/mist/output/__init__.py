"""Tables, JSON lines and progress for command-line tools."""

from mist.output.errors import OutputError
from mist.output.progress_counter import Progress, progress
from mist.output.writer import Writer

__all__ = ["OutputError", "Progress", "Writer", "progress"]

for _public in (OutputError, Progress, Writer, progress):
    _public.__module__ = __name__
del _public
