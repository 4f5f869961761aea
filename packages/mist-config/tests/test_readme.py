"""The README's example does what the README says."""

import os
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest


def readme() -> str:
    """The README of the checkout, or the copy in the installed package where there is none."""
    path = Path(__file__).parents[1] / "README.md"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return metadata("mist-config").json["description"]


def block(language: str) -> str:
    """The first block in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", readme(), re.DOTALL | re.MULTILINE)[0]


@pytest.fixture
def run(tmp_path):
    """Run the README's program with its file."""

    def program(document: str, script: str, **env: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "acme.toml").write_text(document)
        (tmp_path / "acme.py").write_text(script)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ACME_")}
        return subprocess.run(
            [sys.executable, "acme.py"],
            cwd=tmp_path,
            env=kept | env,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return program


def test_the_example_explains_itself_as_printed(run, tmp_path):
    """Each value comes from where the README says."""
    command, expected = block("console").split("\n", 1)
    env = dict(word.split("=") for word in command.split() if "=" in word)
    ran = run(block("toml"), block("python"), **env)
    assert re.sub(" +", " ", ran.stdout.replace(str(tmp_path), "/srv/acme")) == re.sub(
        " +", " ", expected
    )
    assert ran.returncode == 0


def test_the_report_is_the_one_that_is_printed(run):
    """Every problem of the README's wrong file is told as there."""
    document = block("toml").replace("512MB", "512M").replace('timeout = "1m30s"', "tiemout = 5")
    script = block("python").replace('"ACME", Settings', '"ACME", Settings, unknown="error"')
    ran = run(document, script, ACME_DB__PORT="http")
    assert ran.stderr.partition("mist.config.ConfigError: ")[2] == block("text")
