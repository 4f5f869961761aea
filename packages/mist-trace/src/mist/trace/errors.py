"""What can be wrong with the way tracing is set up; a span itself never raises."""


class InvalidSettingError(ValueError):
    """A setting makes no sense; the text names it, and says what would.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"


class WrongFunctionError(TypeError):
    """What is given is no function, or not one of the kind that is called here.

    Attributes:
        code: `validation`: the program is wrong, and trying again does not help.
    """

    code = "validation"
