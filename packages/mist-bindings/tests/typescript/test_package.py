"""The TypeScript package: compiled as it says, typed as it says, and sound by its own tests."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from mist.bindings import export
from mist.bindings.generation import own_protocol
from mist.bindings.languages.typescript import render
from mist.bindings.mark import MARK
from mist.bindings.shipped import CLIENTS
from mist.bindings.writing import write_files

HERE = Path(__file__).resolve().parent
CLIENT = CLIENTS / "typescript"


def test_its_own_tests_pass(node, run, project):
    """Every one of the package's tests has run on Node's test runner, and passed."""
    sources = sorted(HERE.glob("*.test.mjs"))
    tests = [shutil.copy(source, project) for source in sources]
    # Most of them wait for something: all at once.
    options = ["--test", f"--test-concurrency={len(tests)}", "--test-reporter=tap"]
    done = run(node, *options, *tests, cwd=project)
    assert done.returncode == 0, done.stdout[-5000:]
    text = "".join(source.read_text("utf-8") for source in sources)
    passed = re.search(r"\n# pass (\d+)\n", done.stdout)
    assert int(passed[1]) >= text.count("\ntest(") > 0


def test_javascript_and_declarations_are_what_the_compiler_makes_of_the_sources(
    compile_project, tmp_path
):
    """Nothing in `lib` is stale, and what is exported compiles, too.

    With MIST_TYPESCRIPT=write, `lib` is brought up to date.
    """
    shutil.copytree(CLIENT / "src", tmp_path / "src" / "shipped")
    export("typescript", tmp_path / "src" / "exported")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    options = (CLIENT / "tsconfig.json").read_text("utf-8")
    options = options.replace('["src"]', '["src/shipped", "src/exported/src"]')
    (tmp_path / "tsconfig.json").write_text(options, "utf-8")
    assert compile_project(tmp_path) == ""
    made = tmp_path / "lib" / "shipped"
    if os.environ.get("MIST_TYPESCRIPT") == "write":
        shutil.rmtree(CLIENT / "lib")
        shutil.copytree(made, CLIENT / "lib")
        write_files(CLIENT, render(own_protocol()), force=True)
    assert compiled(CLIENT / "lib") == compiled(made)


def compiled(directory):
    """Return the files in a directory, without the line that marks those generated."""
    return {
        path.relative_to(directory): re.sub(rf"\A// {MARK}.*\n\n?", "", path.read_text("utf-8"))
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_types_accept_what_is_right_and_refuse_what_is_wrong(compile_project, project):
    """A strict compiler narrows a message by its type, and finds the mistakes that are marked."""
    shutil.copy(HERE / "types.ts", project)
    options = (CLIENT / "tsconfig.json").read_text("utf-8").replace('"src"', '"."')
    (project / "tsconfig.json").write_text(options.replace('["."]', '["types.ts"]'))
    assert compile_project(project, "--noEmit") == ""


def test_the_examples_in_the_package_compile(compile_project, project):
    """What the package's own README shows is typed as it says."""
    readme = (CLIENT / "README.md").read_text()
    examples = re.findall(r"^```ts\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    names = [f"example{number}.ts" for number in range(len(examples))]
    for name, example in zip(names, examples, strict=True):
        (project / name).write_text(example)
    assert len(names) == 2
    write_options(project, *names)
    assert compile_project(project, "--noEmit") == ""


def write_options(project, *files):
    """Have a project compile these files as a user who is strict does."""
    options = {"target": "ES2022", "module": "NodeNext", "strict": True, "types": ["node"]}
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": files}))


def test_the_readme_example_runs(compile_project, node, run, project):
    """The README's TypeScript compiles strictly, and does what its comments say."""
    readme = HERE.parents[1] / "README.md"
    if not readme.is_file():
        pytest.skip("the tests are run without the README beside them")
    (example,) = re.findall(
        r"^```typescript\n(.*?)^```$", readme.read_text(), re.DOTALL | re.MULTILINE
    )
    (project / "readme.ts").write_text(example)
    write_options(project, "readme.ts")
    assert compile_project(project) == ""
    done = run(node, "readme.js", cwd=project)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "web asks auto: 2 < 3?",
        "ask took 42 ns",
        "acme.greeting: hello",
    ]
