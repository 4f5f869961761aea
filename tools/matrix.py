"""Print, as JSON, the distributions that continuous integration has to test one by one.

Runs on any supported Python without an environment: `python -m tools.matrix`.
"""

import json
import sys

from tools.workspace import Workspace, WorkspaceError


def packages(workspace: Workspace) -> list[str]:
    """List the distributions with code, by name."""
    return [distribution.name for distribution in workspace.with_code()]


def main() -> int:
    """Print the list, on one line."""
    try:
        print(json.dumps(packages(Workspace.load())))
    except WorkspaceError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
