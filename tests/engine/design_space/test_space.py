"""A space from the shipped components: what each axis is, where it exists, and the selection of a point."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.design_space.axis_words import axes_of
from engine.design_space.points import every_point
from engine.design_space.space import Space, axis_names, space
from engine.errors import UsageError
from engine.plan.plan import Plan
from engine.plan.selection import Selection
from engine.plan.selection_syntax import selection_of
from engine.store.folders import folders
from engine.survey.prepare import Workplace, resolved
from tests.engine.explore.history import our_catalog

BASE = "--tags=app,mlperf,inference,reference,python,_resnet50,_patterns-net,_test"


def plan_of(chosen: Selection) -> Plan:
    return resolved(Workplace(folders("/nowhere"), our_catalog()), chosen).plan


def made(*axes: str, base: str = BASE) -> Space:
    return space(our_catalog(), selection_of((base,))[0], axes_of(axes), plan_of)


@cache
def conditional() -> Space:
    return made(
        "backend=onnxruntime,openvino,tensorflow",
        "precision=fp32,int8",
        "onnxruntime.settings=a=1,b=2",
        "openvino.settings=c=3",
        "sessions=1,2",
    )


def test_an_option_of_a_backend_exists_where_that_backend_is_chosen() -> None:
    conditions = {axis.name: dict(axis.only_with) for axis in conditional().axes}
    assert conditions["onnxruntime.settings"] == {"backend": {"onnxruntime"}}
    assert conditions["openvino.settings"] == {"backend": {"openvino"}}
    assert not conditions["sessions"]
    assert not conditions["precision"]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_point_holds_what_exists_there_and_its_plan_has_it(data: st.DataObject) -> None:
    found = conditional()
    point = data.draw(st.sampled_from(list(every_point(found.axes))))
    values = dict(point)
    assert found.point({axis.name: values.get(axis.name, axis.values[0]) for axis in found.axes}) == point
    if (values["backend"], values["precision"]) == ("tensorflow", "int8"):
        with pytest.raises(UsageError, match="int8"):
            plan_of(found.selection(point))
        return
    plan = plan_of(found.selection(point))
    root = plan.nodes[plan.root]
    assert root.options["backend"].value == values["backend"]
    assert str(root.options["sessions"].value) == values["sessions"]
    given_settings = [value for name, value in values.items() if name.endswith(".settings")]
    backend = next(plan.nodes[edge.node] for edge in root.needs if edge.name == "backend")
    assert list(backend.options["settings"].value or []) == given_settings if "settings" in backend.options else True


def test_the_default_point_is_the_base_selection() -> None:
    found = made("precision=int8,fp32", "backend=openvino,tensorflow", "sessions=1,2", base=f"{BASE},_tf")
    assert dict(found.default) == {"precision": "fp32", "backend": "tensorflow", "sessions": "default"}
    same = plan_of(found.selection(found.default)).nodes
    assert {name: node.values() for name, node in same.items()} == {
        name: node.values() for name, node in found.plan.nodes.items()
    }


def test_a_choice_in_the_base_gives_way_to_the_axis() -> None:
    found = made("backend=onnxruntime,openvino", "max_batch=1,8", base=f"{BASE},_tf")
    root = plan_of(found.selection((("backend", "openvino"), ("max_batch", "8")))).nodes
    assert root[found.plan.root].options["backend"].value == "openvino"


def test_a_version_is_that_of_the_named_backend() -> None:
    found = made("onnxruntime.version=1.20,default", "backend=onnxruntime,openvino")
    assert dict(found.axes[0].only_with) == {"backend": {"onnxruntime"}}
    plan = plan_of(found.selection((("onnxruntime.version", "1.20"), ("backend", "onnxruntime"))))
    assert plan.nodes["onnxruntime"].version_range == "==1.20"


def test_an_option_of_a_dependency_is_set() -> None:
    found = made("workers.max_batch=1:4:log2", "preprocessed.layout=NCHW,NHWC")
    assert dict(found.default) == {"workers.max_batch": "default", "preprocessed.layout": "NCHW"}
    plan = plan_of(found.selection((("workers.max_batch", "4"), ("preprocessed.layout", "NHWC"))))
    assert plan.nodes["choose-workers"].options["max_batch"].value == 4


@pytest.mark.parametrize(
    ("axis", "what", "remedy"),
    [
        ("sesions=1,2", "no axis 'sesions'", "did you mean 'sessions'?"),
        ("backend=onxruntime", "no backend 'onxruntime'", "did you mean 'onnxruntime'?"),
        ("sessions=0", "too small", "at least 1"),
        ("scenarios=Offline,Server", "would change what is measured", "as an option"),
        ("workers.max_bach=1", "no axis", "did you mean 'workers.max_batch'?"),
        ("targets=found,searched", "not a value", "configured"),
    ],
)
def test_a_wrong_axis_names_the_nearest(axis: str, what: str, remedy: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(axis)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_the_axes_of_a_plan_have_names() -> None:
    names = axis_names(our_catalog(), plan_of(selection_of((BASE,))[0]))
    assert {"backend", "precision", "sessions", "max_batch", "workers.max_batch", "backend.version"} <= set(names)
    assert not {"scenarios", "benchmark", "round"} & set(names)
