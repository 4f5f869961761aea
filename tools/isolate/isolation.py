"""Hold one wheel, alone with its declared closure, against what it promises."""

import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.isolate import probe
from tools.isolate.content import check_content
from tools.isolate.environment import Environment
from tools.isolate.outcome import Outcome, Totals
from tools.isolate.wheels import BuildError, Wheel, closure
from tools.workspace import ROOT, Workspace, normalize

_NO_TESTS = 5  # pytest's exit status when it collected none


@dataclass(frozen=True, slots=True)
class Built:
    """What every run shares: the wheels, the clean export, a directory to work in."""

    workspace: Workspace
    wheels: Mapping[str, Wheel]
    source: Path
    work: Path
    lowest: bool = False

    def environment(self, name: str, python: str) -> Environment:
        """Name an environment of its own for one run."""
        return Environment(self.work / f"{name}-{Path(python).name}")


async def isolate(built: Built, name: str, python: str) -> Outcome:
    """Run every check of one distribution on one Python."""
    started = time.monotonic()
    wheel = built.wheels[name]
    outcome = Outcome(name, python, wheel.path.name)
    project = built.source / wheel.distribution.directory.relative_to(built.workspace.root)
    outcome.problems.extend(check_content(wheel, project))
    environment = built.environment(name, python)
    try:
        members = closure(name, built.wheels, built.workspace)
    except BuildError as exc:
        outcome.problems.append(str(exc))
        return outcome
    if await _install(built, environment, name, python, outcome):
        await _probe(built, environment, members, outcome)
        if wheel.distribution.has_code:
            await _test(built, environment, project, outcome)
    outcome.seconds = time.monotonic() - started
    return outcome


async def together(built: Built, python: str) -> Outcome:
    """Install every wheel into one environment through `mist[all]`, import all, run the command."""
    started = time.monotonic()
    wheel = built.wheels["mist"]
    outcome = Outcome("mist[all]", python, wheel.path.name)
    environment = built.environment("together", python)
    created = await environment.create(python)
    installed = await environment.install([f"mist[all] @ {wheel.uri}"], built.wheels)
    for finished in (created, installed):
        if not finished.ok:
            outcome.problems.append(str(finished))
            return outcome
    await _probe(built, environment, set(built.wheels), outcome)
    for argument in ("version", "--help"):
        ran = await environment.run(environment.scripts / "mist", argument, cwd=built.work)
        if not ran.ok or not ran.output.strip():
            outcome.problems.append(str(ran))
    outcome.seconds = time.monotonic() - started
    return outcome


async def _install(
    built: Built, environment: Environment, name: str, python: str, outcome: Outcome
) -> bool:
    """Install the wheel, then its test tools beside it; tell whether that went well."""
    wheel = built.wheels[name]
    own = [f"{name} @ {wheel.uri}"]
    options: tuple[str, ...] = ()
    if built.lowest:
        # Direct is what is named here, so the wheel's own requirements are named beside it.
        own += [
            str(each)
            for each in wheel.requirements()
            if normalize(each.name) not in built.workspace.distributions
        ]
        options = ("--resolution", "lowest-direct")
    tools = [each.text for each in wheel.distribution.test_tools]
    finished = await environment.create(python)
    if finished.ok:
        finished = await environment.install(own, built.wheels, *options)
    if finished.ok:
        finished = await environment.check()
    if finished.ok and tools:
        finished = await environment.install(tools, built.wheels)
    if not finished.ok:
        outcome.problems.append(str(finished))
    return finished.ok


async def _probe(
    built: Built, environment: Environment, members: set[str], outcome: Outcome
) -> None:
    """Ask from inside what is installed, what imports and what must not."""
    asked = {
        "workspace": sorted(built.workspace.distributions),
        "expected": sorted(members),
        "present": [d.module for d in built.workspace.with_code() if d.name in members],
        "absent": [d.module for d in built.workspace if d.name not in members],
    }
    probed = await environment.run(
        environment.python, "-I", Path(probe.__file__), json.dumps(asked), cwd=built.work
    )
    if not probed.ok:
        outcome.problems.extend(probed.output.splitlines())
    checked = await environment.check()
    if not checked.ok:
        outcome.problems.append(str(checked))


async def _test(built: Built, environment: Environment, project: Path, outcome: Outcome) -> None:
    """Run the distribution's own tests from a copy that has no source beside it."""
    outside = environment.directory / "outside"
    package = outside / "packages" / project.name
    package.mkdir(parents=True)
    shutil.copy2(built.source / "pyproject.toml", outside)
    shutil.copy2(project / "README.md", package)
    tests = project / "tests"
    if tests.is_dir():
        shutil.copytree(tests, package / "tests")
    report = environment.directory / "junit.xml"
    ran = await environment.run(
        environment.python,
        *("-m", "pytest", "-c", outside / "pyproject.toml", "-p", "no:cacheprovider"),
        *(f"--junitxml={report}", package),
        cwd=outside,
        **_golden(),
    )
    outcome.totals = Totals.from_junit(report)
    if ran.status == _NO_TESTS:
        outcome.problems.append(f"{project.name} has no tests")
    elif not ran.ok:
        outcome.problems.append(str(ran))


def _golden() -> dict[str, str]:
    """Point tests to the golden data, which is not part of the repository, where there is any."""
    directory = Path(os.environ.get("MIST_GOLDEN") or ROOT.parent / "shared" / "golden")
    return {"MIST_GOLDEN": str(directory.resolve())} if directory.is_dir() else {}
