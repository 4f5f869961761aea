"""What can be wrong with the way work is handed over."""


class ParallelError(ValueError):
    """A pool, a rate or a function is not what it has to be.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"
