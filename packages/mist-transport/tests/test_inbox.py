"""The bounded queue: order, bounds, closing, and that no wake-up is ever lost."""

import asyncio

import pytest

from mist.transport.errors import BufferFull, InvalidSettingError, TransportClosed
from mist.transport.inbox import Inbox


async def settle():
    """Let every task run until it waits."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_items_come_out_in_order_and_len_counts_them():
    """First in, first out."""
    inbox = Inbox(3, "inbox")
    for item in "abc":
        inbox.put(item)
    assert len(inbox) == 3
    assert [await inbox.take() for _ in range(3)] == ["a", "b", "c"]
    assert not inbox


def test_a_queue_of_no_size_is_refused():
    """A bound below one is a mistake."""
    with pytest.raises(InvalidSettingError, match="at least 1, got 0"):
        Inbox(0, "inbox")
    with pytest.raises(InvalidSettingError, match="at least 1, got '3'"):
        Inbox("3", "inbox")


async def test_a_full_queue_says_so_and_can_be_waited_for():
    """`BufferFull` names the queue and its size, and leads to the room."""
    inbox = Inbox(1, "the inbox")
    inbox.put(1)
    with pytest.raises(BufferFull, match="the inbox is full: 1 messages") as caught:
        inbox.put(2)
    waiting = asyncio.create_task(caught.value.wait_for_room())
    await settle()
    assert not waiting.done()
    await inbox.take()
    await waiting
    inbox.put(2)


async def test_room_that_is_there_is_not_waited_for():
    """`room` returns at once while there is some, or when the queue is closed."""
    inbox = Inbox(1, "inbox")
    await inbox.room()
    inbox.put(1)
    inbox.close()
    await inbox.room()


async def test_closing_ends_all_waiting_and_keeps_what_is_held():
    """What was put can be taken after closing; then, and for putting at once, it is closed."""
    inbox = Inbox(2, "the inbox")
    takers = [asyncio.create_task(inbox.take()) for _ in range(3)]
    await settle()
    inbox.put(1)
    inbox.close()
    results = await asyncio.gather(*takers, return_exceptions=True)
    assert results[0] == 1
    assert all(isinstance(result, TransportClosed) for result in results[1:])
    with pytest.raises(TransportClosed, match="the inbox is closed"):
        inbox.put(2)
    inbox.close()


async def test_closing_wakes_those_who_wait_for_room():
    """They learn by their next attempt that the queue is closed."""
    inbox = Inbox(1, "inbox")
    inbox.put(1)
    waiting = [asyncio.create_task(inbox.room()) for _ in range(2)]
    await settle()
    inbox.close()
    await asyncio.gather(*waiting)


async def test_a_taker_cancelled_before_a_put_does_not_hide_its_cancellation():
    """Cancelled first, woken later in the same step: it ends as cancelled, nothing else."""
    inbox = Inbox(1, "inbox")
    taker = asyncio.create_task(inbox.take())
    await settle()
    taker.cancel()
    inbox.put("item")
    with pytest.raises(asyncio.CancelledError):
        await taker
    assert await inbox.take() == "item"


async def test_a_taker_cancelled_before_closing_does_not_hide_its_cancellation():
    """The same with `close` in the place of `put`."""
    inbox = Inbox(1, "inbox")
    taker = asyncio.create_task(inbox.take())
    await settle()
    taker.cancel()
    inbox.close()
    with pytest.raises(asyncio.CancelledError):
        await taker


async def test_a_taker_woken_and_cancelled_at_once_hands_the_item_on():
    """The wake-up goes to the next in line."""
    inbox = Inbox(1, "inbox")
    first, second = (asyncio.create_task(inbox.take()) for _ in range(2))
    await settle()
    inbox.put("item")
    first.cancel()
    assert await second == "item"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_taker_that_was_overtaken_keeps_its_place_in_line():
    """Somebody who came by took the item: the one who was woken for it is the next again."""
    inbox = Inbox(1, "inbox")
    served = []

    async def take(name):
        served.append((name, await inbox.take()))

    tasks = [asyncio.create_task(take(name)) for name in ("first", "second")]
    await settle()
    inbox.put(1)
    assert await inbox.take() == 1  # before the first, just woken, could run
    await settle()
    inbox.put(2)
    await settle()
    inbox.put(3)
    await asyncio.gather(*tasks)
    assert served == [("first", 2), ("second", 3)]


async def test_room_not_used_by_the_one_it_was_offered_to_is_offered_to_the_next():
    """A sender that is cancelled between hearing of room and using it blocks nobody."""
    inbox = Inbox(1, "inbox")
    inbox.put(0)
    reached = asyncio.Event()

    async def slow():
        await inbox.room()
        reached.set()
        await asyncio.sleep(3600)
        inbox.put("never")

    async def quick():
        await inbox.room()
        inbox.put("second")

    tasks = [asyncio.create_task(slow()), asyncio.create_task(quick())]
    await settle()
    assert await inbox.take() == 0
    await reached.wait()
    tasks[0].cancel()
    assert await inbox.take() == "second"
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_waiter_whose_coroutine_is_dropped_takes_no_wake_up_along():
    """A coroutine that is closed instead of cancelled leaves the line too."""
    inbox = Inbox(1, "inbox")
    dropped = inbox.take()
    dropped.send(None)
    dropped.close()
    waiting = asyncio.create_task(inbox.take())
    await settle()
    inbox.put("item")
    assert await waiting == "item"


async def test_many_takers_and_putters_lose_and_double_nothing():
    """Fifty of each, through two places, with room waited for."""
    inbox = Inbox(2, "inbox")

    async def put(item):
        while True:
            try:
                return inbox.put(item)
            except BufferFull as full:
                await full.wait_for_room()

    taking = [asyncio.create_task(inbox.take()) for _ in range(50)]
    await asyncio.gather(*(put(n) for n in range(50)))
    assert sorted(await asyncio.gather(*taking)) == list(range(50))
