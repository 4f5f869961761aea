"""All checks of the graph, in one call."""

from tools.graph.architecture import Architecture
from tools.graph.code import Graph, read
from tools.graph.cycles import check_cycles
from tools.graph.failure import Failure
from tools.graph.layout import check_layout
from tools.graph.outside import check_outside, check_tests
from tools.graph.providers import Providers
from tools.graph.siblings import check_siblings
from tools.workspace import Workspace


def check(
    workspace: Workspace, architecture: Architecture, providers: Providers
) -> tuple[Graph, list[Failure]]:
    """Hold the workspace against the architecture; failures are sorted by place."""
    graph, failures = read(workspace, architecture, providers)
    for code in graph.codes.values():
        for each in (check_layout, check_siblings, check_outside, check_tests):
            failures.extend(each(graph, code))
    failures.extend(check_cycles(graph))
    return graph, sorted(set(failures))
