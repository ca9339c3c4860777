from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.store.folders import folders


def test_a_home_holds_everything() -> None:
    found = folders("/somewhere")
    assert (found.store, found.jobs) == (Path("/somewhere/store"), Path("/somewhere/state/jobs"))
    assert folders(None, {"INFERDECK_HOME": "/somewhere"}) == found
    assert folders("/somewhere", {"INFERDECK_HOME": "/elsewhere"}) == found


@pytest.mark.parametrize("name", ["/somewhere\n", " ", "\t/somewhere"])
def test_a_blank_at_the_edge_is_no_other_home(name: str) -> None:
    with pytest.raises(UsageError, match="--home begins or ends with a blank"):
        folders(name)
    with pytest.raises(UsageError, match="INFERDECK_HOME begins or ends with a blank"):
        folders(None, {"INFERDECK_HOME": name})
