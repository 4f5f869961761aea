"""Fields of a `with` block."""

import asyncio
import contextvars
import threading

from mist.logging import bound


def test_blocks_nest(log):
    """An inner value hides an outer one, and what was before comes back."""
    with bound(a=1, b=1):
        with bound(b=2):
            log.logger.info("inner")
        log.logger.info("outer")
    log.logger.info("none")
    assert [list(record.items())[4:] for record in log.records] == [
        [("a", 1), ("b", 2)],
        [("a", 1), ("b", 1)],
        [],
    ]


def test_an_exception_ends_the_block(log, fail):
    """The fields go, and the exception passes."""
    try:
        with bound(a=1):
            fail(ValueError("boom"))
    except ValueError:
        log.logger.info("m")
    assert log.fields == {}


def test_it_decorates_functions(log):
    """Each call has the fields."""

    @bound(a=1)
    def work():
        log.logger.info("m")

    work()
    work()
    assert [record["a"] for record in log.records] == [1, 1]


def test_threads_start_without_the_fields(log):
    """A new thread has a context of its own, unless it is given one."""
    with bound(a=1):
        copied = contextvars.copy_context()
        for target in (log.logger.info, lambda msg: copied.run(log.logger.info, msg)):
            thread = threading.Thread(target=target, args=("m",))
            thread.start()
            thread.join()
    assert ["a" in record for record in log.records] == [False, True]


async def test_a_block_left_in_another_context_does_not_fail(log):
    """As with a dependency of a web framework, or a generator that is closed elsewhere."""

    async def generate():
        with bound(a=1):
            yield

    generator = generate()
    await asyncio.create_task(anext(generator))
    with bound(b=2):
        await asyncio.create_task(generator.aclose())
        log.logger.info("m")
    assert log.fields == {"b": 2}
