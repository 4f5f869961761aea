"""Ids are random, and shared by nobody."""

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from mist.protocol import Message

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
# From 3.12 on, Python warns of a fork in a process that has had threads, as a test run has.
quietly = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def make_ids(count):
    """Return the ids of that many new messages."""
    return [Message.new("s", "t", None).id for _ in range(count)]


def test_an_id_is_32_lowercase_hexadecimal_digits():
    """Every id has the form that mist-go gives and expects."""
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in make_ids(1000))


def test_ids_use_all_128_bits():
    """Each of the 128 bits is set in about half of the ids, none is fixed."""
    made = [int(i, 16) for i in make_ids(2000)]
    for bit in range(128):
        assert 700 < sum(i >> bit & 1 for i in made) < 1300


def test_ids_come_from_the_operating_system():
    """Ids are made of the bytes that os.urandom returns, and of nothing else."""
    script = (
        "import os; drawn = []; real = os.urandom\n"
        "def spy(n):\n    drawn.append(real(n)); return drawn[-1]\n"
        "os.urandom = spy\n"
        "from mist.protocol import Message\n"
        "ids = [Message.new('s', 't', None).id for _ in range(1000)]\n"
        "pool = b''.join(drawn)\n"
        "chunks = {pool[i:i + 16].hex() for i in range(0, len(pool), 16)}\n"
        "assert set(ids) <= chunks and len(set(ids)) == 1000\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_threads_never_share_an_id():
    """Eight threads that make messages at once make different ids."""
    made = [[] for _ in range(8)]
    barrier = threading.Barrier(8)

    def work(mine):
        barrier.wait()
        mine.extend(make_ids(2000))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({i for mine in made for i in mine}) == 8 * 2000


@needs_fork
@quietly
def test_a_forked_child_does_not_repeat_its_parents_ids():
    """Parent and children of os.fork, after ids were fetched, go on with different ids."""
    make_ids(1)
    outputs = []
    for _ in range(3):
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(write_end, "".join(make_ids(100)).encode())
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as pipe:
            outputs.append(pipe.read().decode())
        assert os.waitpid(child, 0)[1] == 0
    made = make_ids(300)
    for output in outputs:
        assert len(output) == 3200
        made += [output[i : i + 32] for i in range(0, len(output), 32)]
    assert len(set(made)) == 600


@needs_fork
@quietly
def test_worker_processes_do_not_repeat_ids():
    """Workers of a forking process pool make different ids."""
    make_ids(1)
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        batches = list(pool.map(make_ids, [100] * 16))
    made = [i for batch in batches for i in batch] + make_ids(300)
    assert len(set(made)) == 1900
