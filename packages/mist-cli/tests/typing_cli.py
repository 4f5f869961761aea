"""What users write, checked by mypy and pyright and never run."""

from typing import Never, assert_type

from mist.cli import App, Command, DeclarationError, UsageError
from mist.errors import MistError


def greet(command: Command, args: list[str]) -> None:
    """Do something, and be done."""
    assert_type(command.get_string("name"), str)
    assert_type(command.get_int("times"), int)
    assert_type(command.get_int64("bytes"), int)
    assert_type(command.get_float64("wait"), float)
    assert_type(command.get_bool("loud"), bool)
    assert_type(command.has_flag("loud"), bool)
    assert_type(command.get_argument("who"), str)
    assert_type(command.get_arguments("who"), list[str])
    assert_type(args, list[str])


async def serve(_command: Command, _args: list[str]) -> int:
    """Do something for long, and say how it went."""
    return 0


def ask(_command: Command, _args: list[str]) -> int | None:
    """Say how it went, or nothing."""
    raise UsageError("ask something")


command = Command("greet", "greet somebody", greet, examples=["greet Ada"])
command.add_string_flag("name", "Ada", "who", short="n", choices=["Ada", "Grace"])
command.add_int_flag("times", 1, "how often")
command.add_int64_flag("bytes", 1 << 40, "how much")
command.add_float64_flag("wait", 0.5, "seconds")
command.add_bool_flag("loud", help="shout")
command.add_argument("who", "who else", arity="*", complete="file")

app = App("hello", "1.0.0", description="Greets.", env_prefix="HELLO")
for each in (command, Command("serve", "serve", serve), Command("ask", "ask", ask)):
    app.add_command(each)
app.add_bool_flag("quiet")
assert_type(app.find("greet"), Command)
assert_type(app.commands, dict[str, Command])
assert_type(app.execute(["greet"]), int)


def never() -> Never:
    """End the process."""
    app.main()


refused: MistError = UsageError("no such thing")
wrong: Exception = DeclarationError("declared twice")


def words(_command: Command, _args: list[str]) -> str:
    """Return what is no exit status."""
    return "done"


# Wrong programs do not type-check.
Command("words", "say", words)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
command.add_int_flag("times", "1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
app.execute(argv=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
