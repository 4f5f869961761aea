"""What the package shows to the outside."""

import subprocess
import sys
import types
from importlib.metadata import entry_points, version

import mist.command
from mist.protocol import version_info


def test_all_is_what_is_public():
    """`__all__` names exactly the public objects, and each claims the public module."""
    public = {
        name: item
        for name, item in vars(mist.command).items()
        if not name.startswith("_") and not isinstance(item, types.ModuleType)
    }
    assert sorted(public) == sorted(mist.command.__all__)
    assert {item.__module__ for item in public.values()} == {"mist.command"}


def test_the_installed_command_is_main():
    """The distribution installs `mist`, which runs `main`."""
    (script,) = entry_points(group="console_scripts", name="mist")
    assert script.load() is mist.command.main


def test_version_tells_package_and_protocol(execute):
    """`mist version` names the package's version and the protocol's."""
    ended = execute("version")
    assert (ended.status, ended.out) == (0, f"mist {version('mist')} ({version_info()})\n")


def test_every_command_has_help_with_an_example_that_it_understands(execute):
    """The help of each command describes it and shows examples."""
    for command in ("validate", "dedupe", "relay", "listen", "send", "ping", "demo"):
        ended = execute(command, "--help")
        assert ended.status == 0
        assert f"usage: mist {command}" in ended.out
        assert f"  mist {command} " in ended.out


def test_completion_knows_the_commands(execute):
    """The scripts for the shells complete each command and its flags."""
    for shell in ("bash", "zsh", "fish"):
        ended = execute("completion", shell)
        assert ended.status == 0
        commands = ("validate", "dedupe", "relay", "listen", "send", "ping", "demo")
        for word in (*commands, "follow", "client-ca"):
            assert word in ended.out


def test_help_does_not_wait_for_what_only_a_command_needs():
    """Neither the event loop nor the codec, metadata of distributions or `typing` is imported."""
    heavy = {
        "asyncio",
        "importlib.metadata",
        "mist.protocol",
        "mist.transport",
        "msgspec",
        "typing",
    }
    code = (
        "import sys; given = {*sys.modules}; from mist.command import build_app; "
        "build_app().execute(['relay', '--help']); "
        f"loaded = {heavy!r} & {{*sys.modules}} - given; assert not loaded, loaded"
    )
    # Isolated, so that nothing of an outer run is loaded with it.
    subprocess.run([sys.executable, "-I", "-c", code], check=True, stdout=subprocess.PIPE)
