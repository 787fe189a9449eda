"""`AccessService`: who may do what where."""

# ruff: noqa: ARG002  # the signatures are the contract's

from chaupal.hierarchy.v1 import access_pb2 as pb
from chaupal.hierarchy.v1 import access_pb2_grpc as stubs

from kit.context import current
from kit.errors import InvalidInput
from services.hierarchy.servicers.common import Context
from services.hierarchy.translate import access as translate
from services.hierarchy.use_cases.rights import Rights

SERVICE_NAME = "chaupal.hierarchy.v1.AccessService"


class AccessServicer(stubs.AccessServiceServicer):
    """Serves `chaupal.hierarchy.v1.AccessService`; the contract's comments are the promise."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    async def GetViewer(
        self, request: pb.GetViewerRequest, context: Context
    ) -> pb.GetViewerResponse:
        """Who somebody is."""
        whose = translate.whose_from_proto(request)
        known = translate.known_from_proto(request)
        shown = await self._rights.viewer(current().caller, whose, known)
        if shown is None:
            return pb.GetViewerResponse(access_version=known, unchanged=True)
        return translate.viewer_to_proto(shown)

    async def GetAccessVersion(
        self, request: pb.GetAccessVersionRequest, context: Context
    ) -> pb.GetAccessVersionResponse:
        """The version of the tenant's access rights."""
        version = await self._rights.version(current().caller)
        return pb.GetAccessVersionResponse(access_version=version)

    async def CheckAccess(
        self, request: pb.CheckAccessRequest, context: Context
    ) -> pb.CheckAccessResponse:
        """Whether they may."""
        whose = translate.whose_from_proto(request)
        question = translate.question_from_proto(request)
        answered = await self._rights.answer(current().caller, whose, [question])
        return pb.CheckAccessResponse(
            allowed=answered.allowed[0], access_version=answered.access_version
        )

    async def BatchCheckAccess(
        self, request: pb.BatchCheckAccessRequest, context: Context
    ) -> pb.BatchCheckAccessResponse:
        """Whether they may, many times."""
        whose = translate.whose_from_proto(request)
        asked = translate.questions_from_proto(request)
        questions = [each for each in asked if not isinstance(each, InvalidInput)]
        answered = await self._rights.answer(current().caller, whose, questions)
        return translate.results_to_proto(asked, answered)
