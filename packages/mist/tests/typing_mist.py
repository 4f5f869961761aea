"""What users write, checked by mypy and pyright and never run."""

from typing import Never, assert_type

from mist.cli import App
from mist.command import build_app, main

assert_type(build_app(), App)
assert_type(build_app().execute(["version"]), int)


def never() -> Never:
    """End the process."""
    main()
