"""Live figures while several threads count."""

from threading import Thread

from engine import events
from engine.harness.tally import Tally, now
from engine.harness.ticker import Ticker
from tests.histograms import merged


def test_nothing_is_lost_or_counted_twice_between_ticks() -> None:
    tallies = [Tally(), Tally()]
    seen: list[events.AnyEvent] = []

    def work(tally: Tally) -> None:
        for _ in range(20_000):
            tally.issued += 3
            tally.record([now()] * 3)

    with Ticker("run", tallies, seen.append):
        threads = [Thread(target=work, args=(tally,)) for tally in tallies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ticks = [event for event in seen if isinstance(event, events.Tick)]
    assert (ticks[-1].issued, ticks[-1].completed) == (120_000, 120_000)
    assert sum(merged(tick.latencies for tick in ticks).values()) == 120_000
    assert sum(tally.batches for tally in tallies) == 40_000


def test_draining_beside_recording_loses_nothing() -> None:
    tally = Tally()
    taken: list[int] = []

    def write() -> None:
        for _ in range(50_000):
            tally.record([0])

    writer = Thread(target=write)
    writer.start()
    while writer.is_alive():
        taken.extend(tally.drain())
    taken.extend(tally.drain())
    assert len(taken) == tally.completed == 50_000
