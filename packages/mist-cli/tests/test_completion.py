"""Completion, in the shells themselves."""

import shlex
import shutil
import subprocess

import pytest


def _in_shell(shell: str, script: str, cwd) -> list[str]:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run(
        [shell, *(["-f"] if shell == "zsh" else []), "-c", script],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def scripts(call, tmp_path):
    """A directory with the three scripts, and a file to complete."""
    for shell in ("bash", "zsh", "fish"):
        status, out, err = call("completion", shell)
        assert (status, err) == (0, "")
        (tmp_path / f"tool.{shell}").write_text(out, encoding="utf-8")
    (tmp_path / "picture.png").touch()
    return tmp_path


def _bash(scripts, *words: str) -> set[str]:
    quoted = " ".join(shlex.quote(word) for word in ("tool", *words))
    script = (
        f"source tool.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words)};"
        '_shtab_tool; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return set(_in_shell("bash", script, scripts))


def _fish(scripts, *words: str) -> set[str]:
    line = shlex.quote(" ".join(("tool", *words)))
    out = _in_shell("fish", f"source tool.fish; complete -C {line} | cut -f1", scripts)
    return set(out)


@pytest.mark.parametrize("complete", [_bash, _fish])
def test_commands_flags_choices_and_files_complete(scripts, complete):
    """What is typed so far is completed to what the parser would accept."""
    assert complete(scripts, "pa") == {"paint", "past-stdout"}
    assert complete(scripts, "ver") == {"version"}
    assert complete(scripts, "completion", "") == {"bash", "zsh", "fish"}
    assert complete(scripts, "paint", "--col") == {"--colour"}
    assert complete(scripts, "paint", "--colour", "") == {"red", "green"}
    assert complete(scripts, "paint", "--colour", "red", "--dry", "--pal") == {"--palette"}
    assert complete(scripts, "paint", "--palette", "pict") == {"picture.png"}
    assert complete(scripts, "paint", "--dry", "pict") == {"picture.png"}
    assert complete(scripts, "paint", "--js") == {"--json"}


def test_the_zsh_script_is_a_completion_function(scripts):
    """Zsh loads the script and registers it for the program."""
    script = (
        'autoload -U compinit; compinit -u -D; eval "$(<tool.zsh)";'
        "print -r -- $_comps[tool]; print -r -- ${(F)_shtab_tool_paint_options} | grep -o -- --colour"
    )
    out = _in_shell("zsh", script, scripts)
    assert out[0] == "_shtab_tool"
    assert "--colour" in out
