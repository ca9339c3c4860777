"""An exploration on SUTs without Dask: what they answer, or don't, becomes a trial, a retry or a new plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine import codec
from engine.design_space import trial_log
from engine.design_space.points import every_point
from engine.design_space.trial_jobs import Outcome
from engine.pool.pool_client import Pool, Sut, SutAnswer
from engine.pool.pool_driver import PoolDriver
from engine.pool.sut_trial import Order, Report, attach
from tests.engine.design_space.fake_bench import ACCURATE, AXES, FakeBench, spec

ALL = set(every_point(AXES))
HERE = {"processor": "X", "inferdeck": "1"}


class HerePool(Pool):
    """SUTs of this process; `answer` replaces what a SUT does, by its name."""

    def __init__(self, folder: Path, *suts: Sut) -> None:
        self.there = {one.name: one for one in suts}
        self.benches = {one.name: FakeBench(accuracies={"onnxruntime": 76.0, "openvino": 75.9}) for one in suts}
        self.path = folder
        self.answer: dict[str, Callable[[Order], Report | None]] = {}
        self.orders: list[tuple[str, Order]] = []
        self._open: dict[str, Order] = {}

    def suts(self) -> dict[str, Sut]:
        return dict(self.there)

    def send(self, sut: Sut, order: bytes) -> None:
        self._open[sut.name] = codec.decode(order, type=Order)
        self.orders.append((sut.name, self._open[sut.name]))

    def is_sent(self, name: str) -> bool:
        return name in self._open

    def forget(self, name: str) -> None:
        self._open.pop(name, None)

    def answers(self, wait: float) -> dict[str, SutAnswer]:
        found = {}
        for name, order in list(self._open.items()):
            make = self.answer.get(name, lambda order, name=name: attach(self.path / name, order, self.benches[name]))
            report = make(order)
            if report is not None:
                found[name] = SutAnswer(report=codec.encode(report))
                self.forget(name)
        return found


def sut(name: str, **machine: str) -> Sut:
    return Sut(name=name, address=f"tls://{name}", machine={**HERE, **machine})


def explored(folder: Path, pool: HerePool, away: float = 60.0) -> trial_log.LogState:
    driver = PoolDriver(folder, spec(limits=(ACCURATE,)), FakeBench(), pool, sorted(ALL), away)
    assert driver.run() == "finished"
    return trial_log.progress(folder)


def events(folder: Path) -> list[trial_log.LogEvent]:
    return list(trial_log.LogReader(folder).read())


def test_suts_share_the_points_and_each_has_a_baseline(tmp_path: Path) -> None:
    pool = HerePool(tmp_path, sut("a"), sut("b"))
    seen = explored(tmp_path, pool)
    assert seen.of_suts({"processor": "that of the scheduler"}) == {"processor": "X"}
    assert {one.point for one in seen.trials} == ALL
    assert {one.sut for one in seen.trials} == {"a", "b"}
    baselines = [one for one in seen.trials if one.purpose == "baseline"]
    assert len({one.session for one in baselines}) == 2
    searched = [one.point for one in seen.trials if one.purpose == "search"]
    assert len(set(searched)) == len(searched)
    assert all("accuracy" in one.figures for one in seen.trials)


def test_another_machine_gets_no_trials(tmp_path: Path) -> None:
    pool = HerePool(tmp_path, sut("a"), sut("b", processor="Y"))
    explored(tmp_path, pool)
    assert {name for name, _ in pool.orders} == {"a"}
    (refused,) = [one for one in events(tmp_path) if isinstance(one, trial_log.SutRefused)]
    assert (refused.sut, refused.why) == ("b", "processor Y, not X")


def test_trouble_of_a_sut_is_tried_again_and_then_a_result(tmp_path: Path) -> None:
    pool = HerePool(tmp_path, sut("a"))
    bad = sorted(ALL)[3]
    usual = pool.benches["a"]

    def answer(order: Order) -> Report:
        return Report(trouble="the disk is full") if order.point == bad else attach(tmp_path / "a", order, usual)

    pool.answer["a"] = answer
    seen = explored(tmp_path, pool)
    (failed,) = [one for one in seen.trials if one.state == "failed"]
    assert (failed.point, failed.reason) == (bad, "the disk is full")
    again = [one for one in events(tmp_path) if isinstance(one, trial_log.TrialAgain)]
    assert [(one.sut, one.why) for one in again] == [("a", "the disk is full")] * 2
    assert len({order.token for _, order in pool.orders if order.point == bad}) == 1, "it is the same trial"


def test_a_sut_that_stays_away_gives_its_point_back(tmp_path: Path) -> None:
    pool = HerePool(tmp_path, sut("a"), sut("b"))

    def leaves(order: Order) -> None:
        pool.there.pop("b", None)

    pool.answer["b"] = leaves
    seen = explored(tmp_path, pool, away=0.0)
    assert {one.point for one in seen.trials} == ALL
    assert {one.sut for one in seen.trials} == {"a"}
    assert [one.given_up for one in events(tmp_path) if isinstance(one, trial_log.TrialAgain)] == [True]


def test_an_order_that_comes_twice_is_one_trial(tmp_path: Path) -> None:
    bench, point = FakeBench(), sorted(ALL)[0]
    order = Order(spec=spec(), token="t", point=point, seconds=None, rate=None, limit=60.0, search=True)
    first = attach(tmp_path, order, bench)
    bench.known.add(point)  # its own run is no earlier one
    assert attach(tmp_path, order, bench) == first
    assert len(bench.jobs) == 1
    assert first.outcome == Outcome(
        state="valid", figures=bench.figures(point), settings={"sessions": 2}, seconds=2.0, spent=2.0, job="r-0001"
    )


def test_what_a_sut_can_not_run_is_refused(tmp_path: Path) -> None:
    point = sorted(ALL)[0]
    order = Order(spec=spec(), token="t", point=point, seconds=None, rate=None, limit=60.0, search=True)
    found = attach(tmp_path, order, FakeBench(missing={point})).outcome
    assert found is not None
    assert (found.state, found.reason) == ("refused", "openvino: it is not installed; install it")
