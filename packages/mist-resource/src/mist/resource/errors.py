"""What can be wrong with the use of a resource."""


class ResourceError(ValueError):
    """A resource is used as it cannot be, such as given back without having been taken.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"


class BudgetExceeded(Exception):
    """There is no room in a budget now.

    Attributes:
        code: `unavailable`: there may be room later.
        name: the budget's name.
        wanted: bytes that were asked for.
        available: bytes that there was room for.
        limit: bytes of the whole budget.
    """

    code = "unavailable"

    def __init__(self, name: str, wanted: int, available: int, limit: int) -> None:
        super().__init__(name, wanted, available, limit)
        self.name = name
        self.wanted = wanted
        self.available = available
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"memory budget {self.name!r}: {self.wanted} bytes wanted,"
            f" {self.available} of {self.limit} available"
        )
