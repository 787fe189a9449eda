"""Two siblings on one store against a plain dict: whoever writes, both say the same at once."""

import asyncio
import tempfile
import uuid
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from chaupal.groups.v1 import groups_pb2 as pb
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from kit.errors import AlreadyExists
from services.groups.domain.audience import Audience, AudienceTerm
from services.groups.domain.model import Admin, AdminRole, Group, GroupState
from tests.unit.groups import naive
from tests.unit.groups.builders import BLUEPRINT, group, unit_id
from tests.unit.groups.messages import a_request_id, a_row, a_term, an_audience, an_import
from tests.unit.groups.platform import Platform, a_platform
from tests.unit.groups.test_service_audience import put_together

T = TypeVar("T")

CODES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
UNITS = st.sampled_from(["alwar", "dausa", "b-1", "b-2", "b-3"])
SIBLINGS = st.sampled_from([0, 1])
LEVELS = {"alwar": "district", "dausa": "district"}
SAID = st.fixed_dictionaries(
    {
        "member_count": st.integers(0, 2),
        "state": st.sampled_from(GroupState),
        "category": st.sampled_from(["", "farmers"]),
        "admins": st.sampled_from(
            [(), (Admin("p", AdminRole.OWNER),), (Admin("p", AdminRole.STATE_EXECUTIVE),)]
        ),
    }
)
Said = dict[str, Any]
Row = tuple[str, str, Said]
ROWS = st.lists(st.tuples(CODES, UNITS, SAID), max_size=5, unique_by=lambda row: row[0])


def as_group(code: str, unit: str, said: Said) -> Group:
    """What a row means."""
    kind = "category" if said["category"] else "internal"
    return group(code, unit, kind=kind, names={"en": f"Group {code}"}, **said)


def as_row(number: int, row: Row) -> pb.GroupRow:
    code, unit, said = row
    kind = "category" if said["category"] else "internal"
    admins = [pb.Admin(person=a.person, role=int(a.role)) for a in said["admins"]]  # type: ignore[arg-type]
    return a_row(
        number, code, unit, LEVELS.get(unit, "booth"), kind=kind, **{**said, "admins": admins}
    )


class Registers(RuleBasedStateMachine):
    """What the register should be is `groups`: the meaning of the last row of each code."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.groups: dict[str, Group] = {}
        self.last: tuple[str, list[Row], pb.GroupImportReport] | None = None
        self.version = 0
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        tenant = f"m{uuid.uuid4().hex[:16]}"
        self.platform: Platform = self.run(
            self.stack.enter_async_context(a_platform(folder, self.url, tenant, siblings=2))
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    async def bring_in(
        self, sibling: int, rows: list[Row], request_id: str
    ) -> pb.GroupImportReport:
        messages = an_import([as_row(n, row) for n, row in enumerate(rows)], request_id)
        stub = self.platform.stubs[sibling]
        return (await stub.ImportGroups(messages, metadata=self.platform.metadata())).report

    def apply(self, rows: list[Row]) -> tuple[int, int, int]:
        """Change the model; say how many are new, changed and the same."""
        meant = {row[0]: as_group(*row) for row in rows}
        created = [code for code in meant if code not in self.groups]
        updated = [
            code for code in meant if code in self.groups and self.groups[code] != meant[code]
        ]
        self.groups.update(meant)
        self.version += bool(created or updated)
        return len(created), len(updated), len(meant) - len(created) - len(updated)

    @rule(sibling=SIBLINGS, rows=ROWS)
    def import_rows(self, sibling: int, rows: list[Row]) -> None:
        request_id = a_request_id()
        report = self.run(self.bring_in(sibling, rows, request_id))
        assert report.applied
        counted = (report.created_count, report.updated_count, report.unchanged_count)
        assert counted == self.apply(rows)
        self.last = (request_id, rows, report)

    @rule(sibling=SIBLINGS)
    def repeat_the_last_import(self, sibling: int) -> None:
        if self.last is not None:
            request_id, rows, report = self.last
            assert self.run(self.bring_in(sibling, rows, request_id)) == report

    @rule(sibling=SIBLINGS, rows=ROWS, wrong=CODES)
    def import_with_one_wrong_row(self, sibling: int, rows: list[Row], wrong: str) -> None:
        bad: Row = (wrong, "b-1", {"member_count": -1, "state": 3, "category": "", "admins": ()})
        report = self.run(self.bring_in(sibling, [*rows, bad], a_request_id()))
        assert (report.applied, report.created_count, report.updated_count) == (False, 0, 0)
        assert {each.row for each in report.errors} == {len(rows)}

    @rule(rows=ROWS, others=ROWS)
    def import_through_both_at_once(self, rows: list[Row], others: list[Row]) -> None:
        """One comes first; which one is seen from the reports, and from nothing else."""

        async def both() -> tuple[pb.GroupImportReport, pb.GroupImportReport]:
            return await asyncio.gather(
                self.bring_in(0, rows, a_request_id()), self.bring_in(1, others, a_request_id())
            )

        reports = [(r.created_count, r.updated_count, r.unchanged_count) for r in self.run(both())]
        before, version = dict(self.groups), self.version
        counted = [self.apply(rows), self.apply(others)]
        if counted != reports or self.told(0) != self.expected():
            self.groups, self.version = before, version
            second = self.apply(others)
            assert [self.apply(rows), second] == reports

    @rule(sibling=SIBLINGS, code=CODES, unit=UNITS, said=SAID)
    def register(self, sibling: int, code: str, unit: str, said: Said) -> None:
        there = code in self.groups
        meant = as_group(code, unit, said)
        row = as_row(0, (code, unit, said))
        message = pb.Group(
            code=code,
            names=row.names,
            kind=row.kind,
            category=row.category,
            unit_id=meant.content.unit_id,
            admins=row.admins,
            language="hi",
            member_count=row.member_count,
            capacity=1_024,
            state=row.state,
        )
        request = pb.RegisterGroupRequest(group=message, request_id=a_request_id())
        stub = self.platform.stubs[sibling]
        try:
            self.run(self.platform.ask(stub.RegisterGroup, request))
        except AlreadyExists:
            assert there
        else:
            assert not there
            self.apply([(code, unit, said)])

    @rule(parent=st.sampled_from(["jaipur", "kota"]))
    def move_a_district(self, parent: str) -> None:
        tree = self.platform.peer.trees[self.platform.tenant]
        tree.units = [each for each in tree.units if each.name != "dausa"]
        tree.add("dausa", "district", parent).version += 1
        self.run(self.platform.announce())

    def expected(self) -> list[str]:
        tree = self.platform.peer.trees[self.platform.tenant]
        ordered = naive.in_tree_order(tree, list(self.groups.values()))
        return [repr(each.content) for each in ordered]

    def told(self, sibling: int) -> list[str]:
        """All groups of a sibling, page by page, as far as the model knows them."""
        stub, token, found = self.platform.stubs[sibling], "", list[str]()
        while True:
            request = pb.ListGroupsRequest(page_size=4, page_token=token)
            page = self.run(self.platform.ask(stub.ListGroups, request))
            found += [repr(content_of_message(each)) for each in page.groups]
            token = page.next_page_token
            if not token:
                return found

    @invariant()
    def both_list_what_the_model_has(self) -> None:
        expected = self.expected()
        assert self.told(0) == expected
        assert self.told(1) == expected

    @invariant()
    def both_resolve_what_the_model_means(self) -> None:
        tree = self.platform.peer.trees[self.platform.tenant]
        meant = Audience((AudienceTerm((unit_id("jaipur"),)),))
        sent = [
            each
            for each in self.groups.values()
            if naive.outcome(meant, BLUEPRINT, tree, each) == "SEND"
        ]
        request = pb.ResolveAudienceRequest(audience=an_audience(a_term("jaipur")))
        answers = [
            put_together(self.run(self.platform.stream(stub.ResolveAudience, request)))
            for stub in self.platform.stubs
        ]
        assert answers[0] == answers[1]
        assert answers[0].header.snapshot_id == f"{self.version}.{tree.version}"
        assert answers[0].header.target_count == len(sent)


def content_of_message(message: pb.Group) -> Any:
    """The content that a group on the wire tells, as the model writes it."""
    admins = tuple(Admin(each.person, AdminRole(each.role)) for each in message.admins)
    told = group(
        message.code,
        kind=message.kind,
        category=message.category,
        unit_id=message.unit_id,
        names={"en": message.names["en"]},
        admins=admins,
        language=message.language,
        member_count=message.member_count,
        capacity=message.capacity,
        state=GroupState(message.state),
    )
    return told.content


@pytest.mark.timeout(900)
def test_two_siblings_are_one_register(valkey_url: str) -> None:
    class Here(Registers):
        url = valkey_url

    # Each example runs two servers and a peer, and each step asks them some eight times.
    examples = max(6, settings().max_examples // 10)
    run_state_machine_as_test(
        Here, settings=settings(max_examples=examples, stateful_step_count=20)
    )
