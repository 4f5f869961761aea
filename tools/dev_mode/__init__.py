"""`hatch run dev-mode`: the tests, where Python and asyncio check all that they can check."""
