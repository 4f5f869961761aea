"""Executing command lines: values, environment, errors, what is left for the next one."""

import asyncio
import errno
import json
import signal
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mist.cli import App, Command, DeclarationError, UsageError
from mist.errors import Code, MistError


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    monkeypatch.delenv("MIST_DEBUG", raising=False)
    monkeypatch.delenv("MIST_JSON", raising=False)


def _app(command: Command) -> App:
    app = App("mist", "1.0")
    app.add_command(command)
    return app


class Relay(Command):
    """A command with a flag of every kind, that notes what it is run with."""

    def __init__(self) -> None:
        super().__init__("relay", "Relay messages", self._note)
        self.add_string_flag("to", "nowhere", "where to", short="t")
        self.add_int_flag("count", 1, "how many")
        self.add_int64_flag("seed", 7, "where to start")
        self.add_float64_flag("max-rate", 0.5, "per second")
        self.add_bool_flag("verbose", help="say more", short="v")
        self.add_bool_flag("check", default=True, help="check each")
        self.seen: list[tuple[object, ...]] = []

    def _note(self, command: Command, args: list[str]) -> None:
        self.seen.append(
            (
                command.get_string("to"),
                command.get_int("count"),
                command.get_int64("seed"),
                command.get_float64("max-rate"),
                command.get_bool("verbose"),
                command.get_bool("check"),
                args,
            )
        )


DEFAULTS = ("nowhere", 1, 7, 0.5, False, True, [])


def test_values_come_from_the_line_and_leave_no_trace():
    """A line's values hold for that line; the next one starts from the defaults."""
    relay = Relay()
    app = _app(relay)
    line = "relay -t x --count=2 a --seed -3 --max-rate 1e3 -v b --no-check"
    assert app.execute(line.split()) == 0
    assert app.execute(["relay"]) == 0
    assert relay.seen == [("x", 2, -3, 1000.0, True, False, ["a", "b"]), DEFAULTS]


def test_values_of_the_last_line_can_be_read_afterwards():
    """After an execution the values are those of its line, before the first the defaults."""
    relay = Relay()
    app = _app(relay)
    assert relay.get_string("to") == "nowhere"
    assert not relay.has_flag("to")
    app.execute(["relay", "--to", "x"])
    assert relay.get_string("to") == "x"
    assert relay.has_flag("to")


def test_an_execution_inside_another_gives_the_values_back():
    """`run` may execute a line of the same application and go on with its own values."""
    seen = []

    def run(command, args):
        if args == ["inner"]:
            return
        assert app.execute(["relay", "--to", "there", "inner", "--debug"]) == 0
        seen.append((command.get_string("to"), command.get_bool("debug"), command.has_flag("to")))

    relay = Command("relay", "Relay messages", run)
    relay.add_string_flag("to")
    app = _app(relay)
    assert app.execute(["relay", "--to", "here"]) == 0
    assert seen == [("here", False, True)]


def test_everything_behind_a_double_dash_is_an_argument():
    """`--` ends the flags, and only the first one does."""
    relay = Relay()
    assert _app(relay).execute(["relay", "a", "--", "--to", "--", "-x"]) == 0
    assert relay.seen[0][-1] == ["a", "--to", "--", "-x"]


def test_a_dash_and_negative_numbers_are_arguments():
    """`-` for standard input, and negative numbers, are not taken for flags."""
    relay = Relay()
    assert _app(relay).execute(["relay", "-", "-5", "-.5"]) == 0
    assert relay.seen[0][-1] == ["-", "-5", "-.5"]


@pytest.mark.parametrize(
    ("word", "value"),
    [("--verbose=true", True), ("--verbose=0", False), ("--no-verbose", False), ("-v", True)],
)
def test_switches_have_gos_forms_too(word, value):
    """A switch is set by --name, --no-name and --name=false."""
    relay = Relay()
    assert _app(relay).execute(["relay", word]) == 0
    assert relay.seen[0][4] is value
    assert relay.has_flag("verbose")


def test_the_environment_stands_in_for_flags(monkeypatch):
    """APP_COMMAND_FLAG is the value where the line has none, and does not count as given."""
    relay = Relay()
    app = _app(relay)
    monkeypatch.setenv("MIST_RELAY_TO", "env")
    monkeypatch.setenv("MIST_RELAY_MAX_RATE", "2.5")
    monkeypatch.setenv("MIST_RELAY_VERBOSE", "on")
    monkeypatch.setenv("MIST_RELAY_SEED", "")
    assert app.execute(["relay"]) == 0
    assert not relay.has_flag("to")
    assert app.execute(["relay", "--to", "line", "--no-verbose"]) == 0
    assert relay.seen == [
        ("env", 1, 7, 2.5, True, True, []),
        ("line", 1, 7, 2.5, False, True, []),
    ]


def test_variables_can_be_renamed_or_left_out(monkeypatch):
    """`env=` names another variable or none, `env_prefix` another start."""
    seen = []

    def run(command, _args):
        seen.extend(command.get_string(name) for name in "abc")

    command = Command("go-on", "Go on", run)
    command.add_string_flag("a", env="SPECIAL")
    command.add_string_flag("b", env="")
    command.add_string_flag("c")
    app = App("mist", "1.0", env_prefix="other.app")
    app.add_command(command)
    monkeypatch.setenv("SPECIAL", "1")
    for name in ("MIST_GO_ON_B", "OTHER_APP_GO_ON_B", "MIST_GO_ON_C"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("OTHER_APP_GO_ON_C", "3")
    assert app.execute(["go-on"]) == 0
    assert seen == ["1", "", "3"]


@pytest.mark.parametrize("words", [["--tag", "x", "relay"], ["relay", "--tag", "x"]])
def test_global_flags_stand_on_either_side_of_the_command(words):
    """A flag of the application is read from both sides, by application and command."""
    seen = []
    command = Command("relay", "Relay", lambda c, _: seen.append(c.get_string("tag")))
    app = _app(command)
    app.add_string_flag("tag", "none")
    assert app.execute(words) == 0
    assert seen == ["x"]
    assert app.get_string("tag") == "x"
    assert app.has_flag("tag")
    assert command.has_flag("tag")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("rely", "mist: unknown command 'rely'; did you mean relay?"),
        ("zzz", "mist: unknown command 'zzz'; 'mist --help' lists them"),
        ("--debug", "mist: missing command; 'mist --help' lists them"),
        ("relay --count x", "mist: --count: expected a whole number, got 'x'"),
        ("relay --count 1_0", "mist: --count: expected a whole number, got '1_0'"),
        ("relay --max-rate 1_0", "mist: --max-rate: expected a number, got '1_0'"),
        ("relay --max-rate fast", "mist: --max-rate: expected a number, got 'fast'"),
        ("relay --verbose=x", "mist: --verbose: expected true or false, got 'x'"),
        (
            "relay --to -x",
            "mist: -t/--to: expected one argument; one that starts with a dash needs '='",
        ),
        ("relay --cuont 1", "mist: unknown flag --cuont; did you mean --count?"),
        ("relay -count 1", "mist: unknown flag -count; did you mean --count?"),
        ("relay --coun 1", "mist: unknown flag --coun; did you mean --count?"),
        ("relay --no-chek", "mist: unknown flag --no-chek; did you mean --no-check?"),
        ("relay --jsno", "mist: unknown flag --jsno; did you mean --json?"),
        ("relay --zzz", "mist: unknown flag --zzz; 'mist relay --help' lists them"),
        ("version x", "mist: unexpected argument 'x'; usage: mist version [flags]"),
        ("help rely", "mist: unknown command 'rely'; did you mean relay?"),
        (
            "completion fihs",
            "mist: <shell>: expected one of bash, zsh, fish, got 'fihs'; did you mean fish?",
        ),
    ],
)
def test_a_wrong_line_is_one_line_with_a_remedy(capsys, line, error):
    """A usage error exits with 2, says what is wrong and what would be right."""
    assert _app(Relay()).execute(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == error
    assert "--debug" in line or err.count("\n") == 1


@pytest.mark.parametrize("text", [str(1 << 63), str(-(1 << 63) - 1), "9" * 5000])
def test_int64_is_checked_for_its_range(capsys, text):
    """A number beyond 64 bits is refused with the range; its limits are not."""
    relay = Relay()
    app = _app(relay)
    assert app.execute(["relay", f"--seed={text}"]) == 2
    assert "from -9223372036854775808 to 9223372036854775807" in capsys.readouterr().err
    assert app.execute(["relay", f"--seed={(1 << 63) - 1}"]) == 0
    assert app.execute(["relay", f"--seed={-(1 << 63)}"]) == 0


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.floats(allow_nan=False))
def test_numbers_round_trip(whole, real):
    """Every int64 and every float arrives as it was written."""
    relay = Relay()
    assert _app(relay).execute(["relay", f"--seed={whole}", f"--max-rate={real!r}"]) == 0
    assert relay.get_int64("seed") == whole
    assert relay.get_float64("max-rate") == real


@given(st.lists(st.text(), max_size=5))
def test_no_line_raises(words):
    """Whatever is typed, execute returns a status that a process can have."""
    assert 0 <= _app(Relay()).execute(words) <= 255
    assert 0 <= _app(Relay()).execute(["relay", *words]) <= 255


def test_a_wrong_variable_is_named(capsys, monkeypatch):
    """A value from the environment that does not fit is an error with the variable's name."""
    monkeypatch.setenv("MIST_RELAY_COUNT", "many")
    assert _app(Relay()).execute(["relay"]) == 2
    assert capsys.readouterr().err == (
        "mist: environment variable MIST_RELAY_COUNT: expected a whole number, got 'many'\n"
    )


def test_declared_arguments_are_held_to_their_arity(capsys):
    """Arguments are shared out in order; missing and superfluous ones are usage errors."""
    seen = []
    copy = Command(
        "copy",
        "Copy",
        lambda c, args: seen.append((c.get_argument("from"), c.get_arguments("to"), args)),
    )
    copy.add_argument("from", "source")
    copy.add_argument("to", "targets", arity="+")
    app = _app(copy)
    assert app.execute(["copy", "a", "b", "c"]) == 0
    assert seen == [("a", ["b", "c"], ["a", "b", "c"])]
    assert app.execute(["copy", "a"]) == 2
    assert capsys.readouterr().err == (
        "mist: missing argument <to>; usage: mist copy [flags] <from> <to>...\n"
    )


def test_optional_arguments_may_be_absent(capsys):
    """`?` takes at most one argument, `*` any number."""
    show = Command("show", "Show", lambda _c, _a: None)
    show.add_argument("what", arity="?", choices=("all", "none"))
    app = _app(show)
    assert app.execute(["show"]) == 0
    assert show.get_argument("what") == ""
    assert app.execute(["show", "all"]) == 0
    assert show.get_argument("what") == "all"
    assert app.execute(["show", "al"]) == 2
    assert app.execute(["show", "all", "x"]) == 2
    assert capsys.readouterr().err == (
        "mist: <what>: expected one of all, none, got 'al'; did you mean all?\n"
        "mist: unexpected argument 'x'; usage: mist show [flags] [<what>]\n"
    )


@pytest.mark.parametrize(
    ("result", "status"), [(None, 0), (0, 0), (3, 3), (256, 1), (-1, 255), (512 + 3, 3)]
)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_result_is_the_status(result, status, asynchronous):
    """None is 0, an int is itself, and no failure turns into 0."""

    async def later(_command, _args):
        await asyncio.sleep(0)
        return result

    run = later if asynchronous else lambda _command, _args: result
    assert _app(Command("go", "Go", run)).execute(["go"]) == status


@pytest.mark.parametrize("result", [True, False, "done", 1.5])
def test_any_other_result_is_a_fault_of_the_program(capsys, result):
    """A bool or a string as a result is refused: nobody can tell success from it."""
    assert _app(Command("go", "Go", lambda _c, _a: result)).execute(["go"]) == 1
    assert "return None or an exit status" in capsys.readouterr().err


def test_any_exception_with_a_standard_code_counts(capsys):
    """An exception that merely has a `code` is treated like a MistError."""

    class FullError(Exception):
        code = "unavailable"

    def run(_command, _args):
        raise FullError("inbox full")

    assert _app(Command("go", "Go", run)).execute(["go"]) == 6
    assert capsys.readouterr().err == "mist: unavailable: inbox full\n"


def test_run_may_find_the_line_wrong(capsys):
    """A UsageError from `run` reads like one of ours, and keeps its code."""

    def run(_command, _args):
        raise UsageError("--to must differ from --from")

    assert _app(Command("go", "Go", run)).execute(["go"]) == 2
    assert capsys.readouterr().err == "mist: --to must differ from --from\n"
    assert UsageError("x").code == Code.VALIDATION


def test_a_coroutine_that_cancels_itself_ends_with_130(capsys):
    """A cancellation that nobody asked for from outside is still `cancelled`."""

    async def run(_command, _args):
        raise asyncio.CancelledError

    assert _app(Command("go", "Go", run)).execute(["go"]) == 130
    assert capsys.readouterr().err == "mist: cancelled: CancelledError\n"


async def test_inside_an_event_loop_a_coroutine_cannot_run(capsys):
    """Executing an async command where a loop runs already is an error, without warnings."""

    async def run(_command, _args):
        pytest.fail("never reached")

    assert _app(Command("go", "Go", run)).execute(["go"]) == 1
    assert "running event loop" in capsys.readouterr().err


def test_a_thread_may_execute():
    """Outside the main thread, where no signals can be handled, commands run all the same."""
    statuses = []
    app = _app(Relay())
    thread = threading.Thread(target=lambda: statuses.append(app.execute(["relay"])))
    thread.start()
    thread.join()
    assert statuses == [0]


def test_a_thread_may_execute_a_coroutine():
    """It has an event loop of its own there, which gets no signals either."""
    seen = []

    async def run(_command, args):
        await asyncio.sleep(0)
        seen.append(args)
        return 3

    app = _app(Command("go", "Go", run))
    thread = threading.Thread(target=lambda: seen.append(app.execute(["go", "x"])))
    thread.start()
    thread.join()
    assert seen == [["x"], 3]


def test_any_awaitable_can_be_run(capsys):
    """What `run` returns need not be a coroutine."""

    class Later:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return 4

    assert _app(Command("go", "Go", lambda _command, _args: Later())).execute(["go"]) == 4
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as POSIX has them")
def test_a_handler_that_a_command_installs_stays():
    """Only the handlers of the execution itself end with it."""

    def own(_signum, _frame):
        pass

    def run(_command, _args):
        signal.signal(signal.SIGHUP, own)

    before = signal.getsignal(signal.SIGHUP)
    try:
        assert _app(Command("go", "Go", run)).execute(["go"]) == 0
        assert signal.getsignal(signal.SIGHUP) is own
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_switch_that_is_turned_off_again_is_off(capsys):
    """The last word counts, also in a line that is wrong."""
    app = _app(Relay())
    assert app.execute(["--json", "--no-json", "rely"]) == 2
    assert capsys.readouterr().err == "mist: unknown command 'rely'; did you mean relay?\n"


def test_errors_of_any_kind_are_json(capsys):
    """The code is that of the exception's kind, the message its text."""

    def run(_command, _args):
        raise TimeoutError("too late")

    assert _app(Command("go", "Go", run)).execute(["go", "--json"]) == 5
    assert json.loads(capsys.readouterr().err) == {"code": "timeout", "message": "too late"}


def test_a_broken_pipe_without_a_stdout_is_an_error(capsys, monkeypatch):
    """It was not the reader of stdout who went, for there is no stdout."""

    def run(_command, _args):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", None)
    assert _app(Command("go", "Go", run)).execute(["go"]) == 7
    assert capsys.readouterr().err.startswith("mist: transport: ")


def test_main_exits_with_the_status(monkeypatch):
    """`main` reads this process's words and exits with what `execute` returns."""
    monkeypatch.setattr(sys, "argv", ["mist", "go"])
    with pytest.raises(SystemExit) as caught:
        _app(Command("go", "Go", lambda _c, _a: 4)).main()
    assert caught.value.code == 4


def test_a_command_without_run_is_a_fault_of_the_program(capsys):
    """`run` may be set late, but must be set."""
    command = Command("go", "Go")
    app = _app(command)
    assert app.execute(["go"]) == 1
    command.run = lambda _c, _a: None
    assert app.execute(["go"]) == 0
    assert capsys.readouterr().err == "mist: internal: command 'go' has nothing to run\n"


def test_undeclared_names_are_told_with_the_nearest():
    """Asking for what was never declared is an error that names what was."""
    relay = Relay()
    _app(relay)
    with pytest.raises(DeclarationError, match=r"no flag 'cuont'; did you mean count\?"):
        relay.get_int("cuont")
    with pytest.raises(DeclarationError, match="did you mean json"):
        relay.has_flag("jsn")
    with pytest.raises(DeclarationError, match="--seed is a int64 flag: use get_int64"):
        relay.get_int("seed")
    with pytest.raises(DeclarationError, match="no argument 'x'"):
        relay.get_argument("x")
    with pytest.raises(LookupError) as caught:
        relay.get_string("nothing")
    assert isinstance(caught.value, MistError)
    assert caught.value.code == Code.INTERNAL


def test_clashing_declarations_are_refused(capsys):
    """Two things of one name never come about, in whatever order they are declared."""
    relay = Relay()
    app = _app(relay)
    for declare in (
        lambda: relay.add_string_flag("to"),
        lambda: relay.add_string_flag("no-verbose"),
        lambda: relay.add_string_flag("other", short="v"),
        lambda: relay.add_string_flag("json"),
        lambda: relay.add_string_flag("help"),
        lambda: relay.add_string_flag("--dashes"),
        lambda: relay.add_string_flag(""),
        lambda: relay.add_string_flag("long", short="lo"),
        lambda: app.add_command(Relay()),
        lambda: relay.add_argument("x", arity="3"),
    ):
        with pytest.raises(DeclarationError):
            declare()
    app.add_bool_flag("check")
    assert app.execute(["relay"]) == 1
    assert capsys.readouterr().err == "mist: internal: --check is declared twice\n"


@pytest.mark.parametrize(("first", "second"), [("*", "1"), ("+", "?"), ("?", "1"), ("?", "+")])
def test_arguments_that_cannot_be_told_apart_are_refused(first, second):
    """After an open end, or a required one after an optional one, nothing can follow."""
    command = Command("go", "Go")
    command.add_argument("a", arity=first)
    with pytest.raises(DeclarationError, match="cannot follow"):
        command.add_argument("b", arity=second)


def test_a_command_that_takes_none_declares_none():
    """takes_args=False and a declared argument contradict each other."""
    with pytest.raises(DeclarationError):
        Command("go", "Go", takes_args=False).add_argument("x")


def test_built_in_commands_can_be_replaced(capsys):
    """A command of one's own takes the place of `version`."""
    app = App("mist", "1.0")
    app.execute(["version"])
    app.add_command(Command("version", "Say more", lambda _c, _a: print("mist 1.0, and more")))
    app.execute(["version"])
    app.execute(["--version"])
    assert capsys.readouterr().out == "mist 1.0\nmist 1.0, and more\nmist 1.0\n"
