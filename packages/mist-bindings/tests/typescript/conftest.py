"""Node, the compiler, and a project that has installed the client as its users do."""

import json
import re
import shutil
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from mist.bindings import export
from mist.protocol import Message, ProtocolError

HERE = Path(__file__).resolve().parent
_OLDEST_NODE = 20


def _run(*command: str | Path, cwd: Path, seconds: float = 120.0) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )


@pytest.fixture(scope="session")
def run():
    """Runs a command to its end, and gives back what it printed."""
    return _run


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node."""
    path = shutil.which("node")
    if path is None:
        pytest.skip("node is not installed")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.search(r"\d+", version)[0]) < _OLDEST_NODE:
        pytest.skip(f"node {version.strip()} is older than the client supports")
    return path


@pytest.fixture(scope="session")
def npm() -> str:
    """The path of npm."""
    path = shutil.which("npm")
    if path is None:
        pytest.skip("npm is not installed")
    return path


@pytest.fixture(scope="session")
def tools(npm) -> Path:
    """The directory of the compiler and of Node's types, installed on the first use."""
    modules = HERE / "node_modules"
    if not (modules / ".package-lock.json").exists():
        try:
            done = _run(npm, "ci", "--no-audit", "--no-fund", "--prefer-offline", cwd=HERE)
        except subprocess.TimeoutExpired:
            pytest.skip("the TypeScript compiler could not be installed in time")
        if done.returncode != 0:
            pytest.skip(f"the TypeScript compiler cannot be installed: {done.stderr.strip()[:200]}")
    return modules


@pytest.fixture(scope="session")
def compile_project(run, node, tools):
    """Compiles the project in a directory, and returns what the compiler complains of."""

    def compile_it(project: Path, *options: str) -> str:
        types = project / "node_modules" / "@types"
        if not types.exists():
            types.parent.mkdir(exist_ok=True)
            types.symlink_to(tools / "@types")
        (undici := types.parent / "undici-types").exists() or undici.symlink_to(
            tools / "undici-types"
        )
        compiler = tools / "typescript" / "bin" / "tsc"
        return run(node, compiler, "--project", ".", *options, cwd=project).stdout

    return compile_it


@pytest.fixture(scope="session")
def project(node, npm, run, tmp_path_factory) -> Path:
    """A project with the client that ships, installed by npm from the exported directory."""
    assert node
    root = tmp_path_factory.mktemp("project")
    (root / "package.json").write_text('{"private": true, "type": "module"}\n')
    export("typescript", root / "client")
    done = run(npm, "install", "--offline", "--no-audit", "--no-fund", "./client", cwd=root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="session")
def judge_in(node):
    """Has one Node process judge many inputs by the client of a project."""

    def judge_all(root: Path, inputs: list[dict]) -> list[dict]:
        shutil.copy(HERE / "judge.mjs", root)
        done = subprocess.run(
            [node, "judge.mjs"],
            cwd=root,
            input="".join(json.dumps(each) + "\n" for each in inputs),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=True,
        )
        verdicts = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
        assert len(verdicts) == len(inputs)
        return verdicts

    return judge_all


@pytest.fixture(scope="session")
def judge(judge_in, project):
    """Has the client that ships judge many inputs."""
    return lambda inputs: judge_in(project, inputs)


@pytest.fixture(scope="session")
def random_payloads():
    """The module that makes payload classes at random, and JSON for them."""
    spec = spec_from_file_location("random_payloads", HERE / "random_payloads.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def verdict_of_python():
    """Tells what mist-protocol makes of an encoded message."""

    def verdict(text: str) -> str:
        try:
            message = Message.unmarshal(text)
        except ProtocolError:
            return "refused"
        try:
            message.decode()
        except ProtocolError:
            return "undecodable"
        return "sound"

    return verdict
