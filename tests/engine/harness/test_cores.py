"""Which cores there are, on a made-up machine, and keeping a thread on some."""

import os
from pathlib import Path
from threading import Thread

import pytest

from engine.errors import RunError
from engine.harness.cores import physical, pin, usable


def test_of_two_hardware_threads_of_a_core_the_first_counts(tmp_path: Path) -> None:
    for processor in range(8):
        folder = tmp_path / f"cpu{processor}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{processor % 4},{processor % 4 + 4}\n")
    assert physical(range(8), tmp_path) == (0, 1, 2, 3)
    assert physical((1, 5, 6), tmp_path) == (1, 6)


def test_all_count_where_the_system_does_not_say(tmp_path: Path) -> None:
    assert physical((0, 2), tmp_path) == (0, 2)


def test_a_thread_is_kept_on_its_cores_and_others_are_not() -> None:
    seen: list[set[int]] = []
    core = usable()[0]

    def work() -> None:
        pin((core,))
        seen.append(os.sched_getaffinity(0))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    pin(())
    assert seen == [{core}]
    assert os.sched_getaffinity(0) >= {core}


@pytest.mark.parametrize("cores", [(100_000,), (-1,)])
def test_cores_that_are_not_there_are_refused(cores: tuple[int, ...]) -> None:
    with pytest.raises(RunError, match="cannot keep a session on the cores"):
        pin(cores)
