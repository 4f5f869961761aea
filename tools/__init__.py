"""The monorepo's own commands: the graph check, the isolated wheel test, benchmarks, releases."""
