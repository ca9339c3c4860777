"""What holds for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from engine.jobs import measuring

# How long an example takes says something about the machine, and speed is measured in tests/benchmarks.
settings.register_profile("inferdeck", deadline=None)
settings.load_profile("inferdeck")


@pytest.fixture(scope="session", autouse=True)
def _measuring_lock_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Jobs of other test processes, and of the person who runs the tests, are not waited for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(measuring.VARIABLE, str(tmp_path_factory.mktemp("lock")))
        yield
