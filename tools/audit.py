"""`hatch run audit`: known vulnerabilities of what each package depends on.

Every package's requirements, its extras and its siblings' included, are resolved to the versions
that a user would get today, and the advisories for these are asked for over the network. Where
that cannot be done, the command says so and fails: an audit that did not happen is no good news.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from tools.workspace import Distribution, Workspace, WorkspaceError

_TIMEOUT = 600  # seconds, for each program that is run

Users = Mapping[str, Iterable[str]]
"""Which packages depend on a pin such as `aiohttp==3.13.0`."""


class AuditError(Exception):
    """The audit did not take place; the message says why."""


def requirements(workspace: Workspace, distribution: Distribution) -> list[str]:
    """List what a package needs from elsewhere, by itself and by its siblings, with all extras."""
    found: set[str] = set()
    seen: set[str] = set()
    pending = [distribution]
    while pending:
        each = pending.pop()
        seen.add(each.name)
        for declared in (each.dependencies, *each.extras.values()):
            for requirement in declared:
                sibling = workspace.distributions.get(requirement.name)
                if sibling is None:
                    found.add(requirement.text)
                elif sibling.name not in seen:
                    pending.append(sibling)
    return sorted(found)


def resolve(wanted: Sequence[str], directory: Path) -> list[str]:
    """Return the pins that requirements come to.

    Raises:
        AuditError: They cannot be resolved.
    """
    command = [find_uv_bin(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "-"]
    ran = _run(command, directory, "\n".join(wanted))
    if ran.returncode:
        raise AuditError(f"requirements could not be resolved:\n{ran.stderr.strip()}")
    return [line.partition(";")[0].strip() for line in ran.stdout.splitlines() if "==" in line]


def report(pins: Sequence[str], directory: Path) -> dict[str, Any]:
    """Return what pip-audit tells of pins, as it tells it.

    Raises:
        AuditError: It tells nothing.
    """
    # It takes one version of a project from each file.
    files: list[dict[str, str]] = []
    for pin in pins:
        name = pin.partition("==")[0]
        file = next((file for file in files if name not in file), None)
        if file is None:
            files.append({name: pin})
        else:
            file[name] = pin
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    command += ["--disable-pip", "--no-deps"]
    for number, file in enumerate(files):
        path = directory / f"pins{number}.txt"
        path.write_text("\n".join(file.values()) + "\n")
        command += ["--requirement", str(path)]
    ran = _run(command, directory)
    try:
        told: dict[str, Any] = json.loads(ran.stdout)
    except ValueError:
        lines = ran.stderr.strip().splitlines() or ["pip-audit said nothing"]
        raise AuditError(f"the advisories could not be asked for: {lines[-1]}") from None
    return told


def verdict(told: Mapping[str, Any], users: Users) -> tuple[list[str], list[str]]:
    """Return a line for each vulnerability, and one for each pin of which nothing is known.

    Args:
        told: What pip-audit told, `{"dependencies": [...]}`.
        users: Which packages each pin was resolved for.
    """
    bad: list[str] = []
    audited: set[str] = set()
    for each in told["dependencies"]:
        if "skip_reason" in each:
            continue
        pin = f"{each['name']}=={each['version']}"
        audited.add(pin)
        for vulnerability in each["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "no release yet"
            names = ", ".join(sorted(users.get(pin, ())))
            bad.append(f"{pin}: {vulnerability['id']}, fixed in {fixed}; needed by {names}")
    unknown = [pin for pin in sorted(users) if pin not in audited]
    return bad, unknown


def main() -> int:
    """Audit every package; 1 if anything is vulnerable, 2 if the audit did not take place."""
    users: dict[str, set[str]] = defaultdict(set)
    try:
        workspace = Workspace.load()
        with tempfile.TemporaryDirectory(prefix="mist-audit-") as name:
            for distribution in workspace:
                wanted = requirements(workspace, distribution)
                for pin in resolve(wanted, Path(name)) if wanted else []:
                    users[pin].add(distribution.name)
            told = report(sorted(users), Path(name))
    except (WorkspaceError, AuditError) as exc:
        print(f"not audited: {exc}", file=sys.stderr)
        return 2
    bad, unknown = verdict(told, users)
    for line in bad:
        print(line)
    if unknown:
        print(f"not audited, of these nothing could be learned: {', '.join(unknown)}")
    print(f"{len(users)} pins: {len(bad)} vulnerabilities, {len(unknown)} not audited")
    return 1 if bad else 2 if unknown else 0


def _run(
    command: Sequence[str], directory: Path, text: str = ""
) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            cwd=directory,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired as exc:
        raise AuditError(f"{command[0]} took longer than {_TIMEOUT} seconds") from exc


if __name__ == "__main__":
    sys.exit(main())
