"""A software bill of materials for a wheel: CycloneDX 1.6, JSON.

It names what the wheel declares to need, by the ranges it declares, because which versions come
with it is decided where it is installed. It is a file beside the wheel and not inside it (PEP 770):
the wheels bundle nothing, which is what PEP 770 is for, and a file in the wheel could not hold the
wheel's own hash.
"""

# The library's class decorators hide its constructors and sets from pyright, though not from mypy.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false
# pyright: reportUnknownMemberType=false

import datetime as dt
import uuid
from collections.abc import Iterator

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.isolate.wheels import metadata
from tools.release.build import Files, sha256
from tools.release.checks import Candidate

SCHEMA = SchemaVersion.V1_6


def sbom(candidate: Candidate, built: Files) -> str:
    """Write the bill of a candidate's wheel; the same commit and wheel give the same text."""
    said = metadata(built.wheel)
    name, version, license_ = said["Name"], said["Version"], said["License-Expression"]
    digest = sha256(built.wheel)
    component = Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=str(PackageURL("pypi", name=name, version=version)),
        purl=PackageURL("pypi", name=name, version=version),
        description=said["Summary"],
        licenses=[LicenseExpression(license_, acknowledgement=LicenseAcknowledgement.DECLARED)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        properties=[
            Property(name="mist:commit", value=candidate.commit),
            Property(name="mist:file", value=built.wheel.name),
            Property(name="mist:requires-python", value=said["Requires-Python"]),
        ],
    )
    epoch = candidate.repository.epoch(candidate.commit)
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, f"{candidate.commit} {digest}"))
    bom.metadata.timestamp = dt.datetime.fromtimestamp(epoch, tz=dt.UTC)
    bom.metadata.component = component
    needed = list(_needed(said.get_all("Requires-Dist", [])))
    bom.components.update(needed)
    bom.register_dependency(component, needed)
    return make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=2) + "\n"


def _needed(requirements: list[str]) -> Iterator[Component]:
    """Yield one component for each distribution, with each range that is declared on it."""
    declared: dict[str, list[str]] = {}
    for text in requirements:
        declared.setdefault(canonicalize_name(Requirement(text).name), []).append(text)
    for name, texts in sorted(declared.items()):
        always = any("extra" not in str(Requirement(text).marker or "") for text in texts)
        yield Component(
            name=name,
            type=ComponentType.LIBRARY,
            bom_ref=str(PackageURL("pypi", name=name)),
            purl=PackageURL("pypi", name=name),
            scope=ComponentScope.REQUIRED if always else ComponentScope.OPTIONAL,
            properties=[Property(name="mist:requires-dist", value=text) for text in texts],
        )


# A namespace of its own, so that a serial number is made of nothing but the commit and the wheel.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:mist:release")
