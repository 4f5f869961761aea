"""What can be wrong with a run, and with how it ended."""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself would be most of what importing this package costs
if TYPE_CHECKING:
    from mist.lifecycle.report import Straggler


class LifecycleError(RuntimeError):
    """The lifecycle is used as it cannot be, such as outside of a run.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"


class ShutdownTimeout(TimeoutError):
    """Something was still going on when its time was up.

    Attributes:
        code: `timeout`.
        stragglers: what it was, and where it stood; never empty.
    """

    code = "timeout"

    def __init__(self, stragglers: tuple[Straggler, ...]) -> None:
        super().__init__(stragglers)
        self.stragglers = stragglers

    def __str__(self) -> str:
        late = ", ".join(f"{each.name} ({each.phase})" for each in self.stragglers)
        stood = "".join(f"\n{each}" for each in self.stragglers if each.stack)
        return f"not over in time: {late}{stood}"
