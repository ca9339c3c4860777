from __future__ import annotations

from pathlib import Path

from engine.plan.selection_syntax import selection_of
from engine.survey.explain import explain
from engine.survey.prepare import prepare, workplace


def test_the_chain_names_who_chose_what_else_was_possible_and_what_the_store_has(tmp_path: Path) -> None:
    chosen, _ = selection_of(["--tags=app,mlperf,inference,reference,python,_resnet50,_patterns-net,_test"])
    prepared = prepare(workplace(str(tmp_path)), chosen)
    root = {(fact.heading, fact.text) for fact in explain(prepared, prepared.plan.root)}
    assert ("why it is here", "requested by --tags") in root
    texts = [text for _, text in root]
    assert "_patterns-net: requested by _patterns-net in --tags" in texts
    assert any("instead possible" in text and "_stand-in" in text for text in texts)
    assert any("not _tflite:" in text for text in texts)
    model = explain(prepared, "patterns-net")
    assert any(fact.heading == "must run because" and "nothing stored" in fact.text for fact in model)
    assert any(fact.heading == "store entry" for fact in model)


def test_every_node_of_a_plan_can_be_explained(tmp_path: Path) -> None:
    chosen, _ = selection_of(["--tags=app,mlperf,inference,reference,python,_resnet50,_all-scenarios,_all-modes"])
    prepared = prepare(workplace(str(tmp_path)), chosen)
    for node in prepared.plan.nodes:
        facts = explain(prepared, node)
        assert facts[0].heading == "why it is here"
        assert any(fact.heading == "on this machine" for fact in facts)
