"""The TypeScript package: compiled as it says, typed as it says, and sound by its own tests."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from mist.bindings import typescript
from mist.bindings.generation import own_protocol
from mist.bindings.templates import fill

HERE = Path(__file__).resolve().parent
TEMPLATES = Path(typescript.__file__).parent / "templates" / "typescript"


def test_its_own_tests_pass(node, run, project):
    """The package's tests pass on Node's test runner."""
    tests = [shutil.copy(test, project) for test in HERE.glob("*.test.mjs")]
    assert tests
    done = run(node, "--test", *tests, cwd=project)
    assert done.returncode == 0, done.stdout[-5000:]


def test_javascript_and_declarations_are_what_the_compiler_makes_of_the_sources(
    compile_project, tmp_path
):
    """Nothing in `lib` is stale; with MIST_TYPESCRIPT=write, the templates are brought up to date.

    The clients in the package are then written by `mist-bindings check --write`.
    """
    for name, text in typescript.sources(own_protocol()).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "tsconfig.json").write_text(fill("typescript/tsconfig.json.in", notice=""))
    assert compile_project(tmp_path) == ""
    made = {
        path.relative_to(tmp_path).as_posix(): path.read_text("utf-8")
        for path in (tmp_path / "lib").rglob("*")
        if path.is_file()
    }
    if os.environ.get("MIST_TYPESCRIPT") == "write":
        shutil.rmtree(TEMPLATES / "lib", ignore_errors=True)
        for name in made.keys() - {"lib/protocol.js", "lib/protocol.d.ts"}:
            path = TEMPLATES / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[name], "utf-8")
    assert typescript.compiled(own_protocol()) == made


def test_types_accept_what_is_right_and_refuse_what_is_wrong(compile_project, project):
    """A strict compiler narrows a message by its type, and finds the mistakes that are marked."""
    shutil.copy(HERE / "types.ts", project)
    options = fill("typescript/tsconfig.json.in", notice="").replace('"src"', '"."')
    (project / "tsconfig.json").write_text(options.replace('["."]', '["types.ts"]'))
    assert compile_project(project, "--noEmit") == ""


def test_the_exported_package_can_be_compiled_again(compile_project, project):
    """The sources that ship are whole, also for a user who builds them."""
    assert compile_project(project / "client", "--noEmit") == ""


def test_the_readme_example_runs(compile_project, node, run, project):
    """The README's TypeScript compiles strictly, and does what its comments say."""
    readme = HERE.parents[1] / "README.md"
    if not readme.is_file():
        pytest.skip("the tests are run without the README beside them")
    (example,) = re.findall(
        r"^```typescript\n(.*?)^```$", readme.read_text(), re.DOTALL | re.MULTILINE
    )
    (project / "readme.ts").write_text(example)
    options = {"target": "ES2022", "module": "NodeNext", "strict": True, "types": ["node"]}
    (project / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": options, "files": ["readme.ts"]})
    )
    assert compile_project(project) == ""
    done = run(node, "readme.js", cwd=project)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "web asks auto: 2 < 3?",
        "ask took 42 ns",
        "acme.greeting: hello",
    ]
