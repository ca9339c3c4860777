"""CPU topology of a synthetic machine, and thread pinning."""

import os
from pathlib import Path
from threading import Thread

import pytest

from engine.errors import RunError, UsageError
from engine.harness import cores
from engine.harness.cores import affordable, by_node, core_groups, physical, pin, usable


def test_of_two_hardware_threads_of_a_core_the_first_counts(tmp_path: Path) -> None:
    for processor in range(8):
        folder = tmp_path / f"cpu{processor}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{processor % 4},{processor % 4 + 4}\n")
    assert physical(range(8), tmp_path) == (0, 1, 2, 3)
    assert physical((1, 5, 6), tmp_path) == (1, 6)


def test_all_count_where_the_system_does_not_say(tmp_path: Path) -> None:
    assert physical((0, 2), tmp_path) == (0, 2)


def test_processors_are_told_apart_by_the_memory_that_is_near(tmp_path: Path) -> None:
    for node, members in enumerate(("0-3,8-11", "4-7,12-15", "")):
        (tmp_path / f"node{node}").mkdir()
        (tmp_path / f"node{node}" / "cpulist").write_text(f"{members}\n")
    assert by_node(range(16), tmp_path) == ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15))
    assert by_node((2, 5, 6), tmp_path) == ((2,), (5, 6))
    assert by_node((2, 99), tmp_path) == ((2,), (99,)), "one that no node names is not lost"
    assert by_node((2, 5), tmp_path / "none") == ((2, 5),)


def test_sessions_stay_within_a_node_and_are_spread_over_the_nodes() -> None:
    nodes = ((0, 1, 2, 3), (4, 5, 6, 7))
    assert core_groups(((4, 5, 6, 7),), 2, 2) == ((4, 5), (6, 7))
    assert core_groups(nodes, 2, 2) == ((0, 1), (4, 5))
    assert core_groups(nodes, 4, 2) == ((0, 1), (4, 5), (2, 3), (6, 7))
    assert core_groups(nodes, 1, 8) == ((0, 1, 2, 3, 4, 5, 6, 7),), "larger than a node: across"
    assert core_groups(((0, 1, 2), (3, 4, 5)), 3, 2) == ((0, 1), (3, 4), (2, 5)), "the last is of what is left"
    with pytest.raises(UsageError, match="do not fit 3 cores"):
        core_groups(((0, 1), (2,)), 2, 2)


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
    with pytest.raises(RunError, match="cannot pin a session to the cores"):
        pin(cores)


@pytest.mark.parametrize(("quota", "count"), [(None, 4), (2.5, 2), (0.5, 1), (8.0, 4)])
def test_a_quota_pays_for_so_many_cores(quota: float | None, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable", lambda: (0, 1, 2, 3))
    monkeypatch.setattr(cores, "physical", tuple)
    monkeypatch.setattr(cores, "cpu_quota", lambda: quota)
    assert affordable() == (0, 1, 2, 3)[:count]
