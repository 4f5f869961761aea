"""The README's examples are true."""

import pytest


@pytest.mark.parametrize("number", range(3))
def test_the_readme_examples_run(readme_blocks, number):
    """Each example runs as it stands."""
    exec(compile(readme_blocks("python")[number], "README.md", "exec"), {"__name__": "readme"})


def test_every_example_is_run(readme_blocks):
    """None is added without being run."""
    assert len(readme_blocks("python")) == 3
