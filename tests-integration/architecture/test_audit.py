"""The audit of dependencies: what it asks for, and what it makes of the answer."""

import json
import os
import re
import subprocess
import sys

import yaml

from tools.audit import requirements, verdict
from tools.workspace import ROOT, Workspace, normalize

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/audit.yml").read_text(encoding="utf-8"))


def test_a_package_answers_for_what_its_siblings_and_extras_bring():
    """What somebody gets who installs it is what is audited."""
    workspace = Workspace.load()
    for distribution in workspace:
        wanted = requirements(workspace, distribution)
        names = {normalize(re.split(r"[<>=!~;\[ ]", each)[0]) for each in wanted}
        assert not names & set(workspace.distributions)
    transport = requirements(workspace, workspace.distributions["mist-transport"])
    assert {"aiohttp", "msgspec"} <= {re.split(r"[<>=]", each)[0] for each in transport}
    metrics = requirements(workspace, workspace.distributions["mist-metrics"])
    assert any(each.startswith("prometheus") for each in metrics)  # an extra
    everything = set(requirements(workspace, workspace.distributions["mist"]))
    assert set(transport) <= everything


def test_a_vulnerability_names_its_cure_and_who_needs_the_package():
    """And what the audit could not learn about is told apart from what is sound."""
    told = json.loads(
        """{"dependencies": [
          {"name": "sound", "version": "1.0", "vulns": []},
          {"name": "bad", "version": "2.0",
           "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"], "description": ""}]},
          {"name": "unknown", "version": "3.0", "skip_reason": "not found"}]}"""
    )
    users = {"sound==1.0": ["b"], "bad==2.0": ["b", "a"], "unknown==3.0": ["c"], "lost==4.0": ["d"]}
    bad, unknown = verdict(told, users)
    assert bad == ["bad==2.0: PYSEC-1, fixed in 2.1, 3.0; needed by a, b"]
    assert unknown == ["lost==4.0", "unknown==3.0"]


def test_an_audit_that_did_not_take_place_fails(tmp_path):
    """Without a network it says so in one line, and does not pass for good news."""
    ran = subprocess.run(
        [sys.executable, "-m", "tools.audit"],
        cwd=ROOT,
        env=os.environ | {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("not audited: requirements could not be resolved:")
    assert "Traceback" not in ran.stderr


def test_the_audit_runs_every_week_with_the_least_of_rights():
    """It is pinned, may only read, and ends."""
    triggers = WORKFLOW[True]  # what YAML makes of the key `on`
    assert triggers["schedule"][0]["cron"].split()[-1] == "1"
    assert WORKFLOW["permissions"] == {"contents": "read"}
    (job,) = WORKFLOW["jobs"].values()
    assert "timeout-minutes" in job
    assert job["steps"][-1]["run"] == "hatch run audit"
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", step["uses"])
    assert job["steps"][0]["with"]["persist-credentials"] is False
