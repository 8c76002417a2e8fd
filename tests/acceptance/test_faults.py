"""Every fault that `make chaos` knows, in its short form: nothing accepted is lost, doubled, or out of order."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.catalogue import FAULTS
from tests.faults.crowd import SHORT
from tests.faults.setting import Setting, setting
from tests.faults.trial import attempt, slug


@pytest_asyncio.fixture(scope="module")
async def hurt() -> AsyncIterator[Setting]:
    """A site on stores of its own, with a thread for each fault."""
    async with setting(map(slug, FAULTS)) as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_loses_doubles_and_reorders_nothing(hurt: Setting, fault: str) -> None:
    row = await attempt(fault, FAULTS[fault], hurt, SHORT, "short")
    if row.skipped:
        pytest.skip(row.skipped)
    assert row.complaints == []
    assert row.accepted > 0
    assert (row.lost, row.doubled, row.disordered) == (0, 0, 0)
