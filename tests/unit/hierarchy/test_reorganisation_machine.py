"""Decisions over dictionaries against the plain model of a tree."""

from datetime import datetime, timedelta

import pytest
from hypothesis.stateful import run_state_machine_as_test

from services.hierarchy.domain.model import Unit
from services.hierarchy.domain.records import PastUnit
from services.hierarchy.domain.reorganisation import (
    Reorganisation,
    ReorganisationReport,
    Rights,
    decide_reorganisation,
)
from services.hierarchy.domain.tenants import TenantHeader
from tests.reorganisation_machine import ReorganisationMachine, state_of
from tests.reorganisation_model import State
from tests.unit.hierarchy.deciding import Deciding


class DecidingMachine(ReorganisationMachine):
    def __init__(self) -> None:
        super().__init__()
        self.tenant = Deciding()
        self.tenant.start()

    def reorganise(self, request: Reorganisation) -> ReorganisationReport:
        return self.tenant.write(lambda moment: decide_reorganisation(request, Rights(), moment))

    def header(self) -> TenantHeader:
        return self.tenant.header

    def now(self) -> datetime:
        return self.tenant.now

    def advance(self, seconds: int) -> None:
        self.tenant.now += timedelta(seconds=seconds)

    def tree(self, at: datetime | None) -> State:
        units = self.tenant.all(Unit)
        if at is not None:
            past = [each for each in self.tenant.all(PastUnit) if each.until > at]
            units = [unit for unit in (*units, *(each.unit for each in past)) if unit.since <= at]
        return state_of(units, {unit.id: unit.names.by_language["en"] for unit in units})


@pytest.mark.timeout(600)
def test_re_organised_trees_are_as_in_the_model_at_every_instant() -> None:
    run_state_machine_as_test(DecidingMachine)
