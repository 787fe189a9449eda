"""Persons."""

# ruff: noqa: ARG002  # the signatures are the contract's

import asyncio

from chaupal.hierarchy.v1 import people_pb2 as pb
from chaupal.hierarchy.v1 import people_pb2_grpc as stubs

from kit.context import current
from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.people_errors import PersonNotFound
from services.hierarchy.servicers.batches import ids_of, one_each
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import people_requests as requests
from services.hierarchy.translate.people_answers import persons_to_proto
from services.hierarchy.translate.people_queries import batch_of
from services.hierarchy.translate.people_values import person_to_proto
from services.hierarchy.use_cases.people import People, ShownPerson


class PersonCalls(stubs.PeopleServiceServicer):
    """The calls about them."""

    _people: People

    async def PutPerson(
        self, request: pb.PutPersonRequest, context: Context
    ) -> pb.PutPersonResponse:
        """Create or change one."""
        asked = requests.put_person_from_proto(request)
        shown = await self._people.put(current().caller, asked)
        return pb.PutPersonResponse(person=person_to_proto(shown))

    async def BatchGetPersons(
        self, request: pb.BatchGetPersonsRequest, context: Context
    ) -> pb.BatchGetPersonsResponse:
        """Many of them."""
        asked = batch_of(request.ids, "ids", PersonId)
        found = await self._people.get(current().caller, ids_of(asked), unmask=request.unmask)
        results = one_each(asked, found, PersonNotFound)
        # Some 10 ms for a thousand: not in the loop that serves everybody else.
        return await asyncio.to_thread(persons_to_proto, results)

    async def FindPersonByPhone(
        self, request: pb.FindPersonByPhoneRequest, context: Context
    ) -> pb.FindPersonByPhoneResponse:
        """The one with a number."""
        phone = requests.phone_from_text(request.phone)
        shown = await self._people.find_by_phone(current().caller, phone)
        return pb.FindPersonByPhoneResponse(person=person_to_proto(shown))

    async def ErasePerson(
        self, request: pb.ErasePersonRequest, context: Context
    ) -> pb.ErasePersonResponse:
        """Forget one."""
        person_id, request_id = requests.erase_person_from_proto(request)
        erasure = await self._people.erase(current().caller, person_id, request_id)
        shown = ShownPerson(erasure.person, None, may_see_whole=True)
        return pb.ErasePersonResponse(
            person=person_to_proto(shown), ended_count=erasure.ended_count
        )
