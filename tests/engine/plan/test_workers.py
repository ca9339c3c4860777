"""Dependencies of the workers' choice: prepared samples only for benchmarks that time them."""

from __future__ import annotations

from engine.profile.component import Override
from tests.engine.plan.test_find_performance import needs, nodes, plan_of


def test_images_need_not_be_prepared_before_tuning() -> None:
    plan = plan_of("patterns-net")
    assert set(needs(plan, nodes(plan, "choose-workers")[0])) == {"system", "backend", "model"}


def test_a_benchmark_whose_samples_differ_in_cost_has_them_timed() -> None:
    plan = plan_of("patterns-net", overrides={"workers": Override(set={"inputs": "samples"})})
    workers = nodes(plan, "choose-workers")[0]
    assert needs(plan, workers)["samples"] == nodes(plan, "imagenet-preprocessed")[0]
    assert plan.nodes[workers].values()["task"] == "engine.tasks.image_classification"
    order = list(plan.nodes)
    assert order.index(nodes(plan, "imagenet-preprocessed")[0]) < order.index(workers)
