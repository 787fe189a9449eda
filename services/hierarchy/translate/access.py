"""Questions about access rights, and their answers."""

from collections.abc import Iterable, Iterator, Sequence

from chaupal.hierarchy.v1 import access_pb2 as pb
from chaupal.hierarchy.v1 import hierarchy_pb2

from kit.errors import ChaupalError, InvalidInput, Violations
from kit.status import error_to_status
from services.hierarchy.domain.access import ScopedGrant
from services.hierarchy.domain.model import CAPABILITIES, UnitId
from services.hierarchy.domain.questions import Question
from services.hierarchy.domain.text import MAX_SUBJECT_CHARS, quoted
from services.hierarchy.translate.answers import DOMAIN, checked
from services.hierarchy.translate.people_requests import check_id, check_key
from services.hierarchy.translate.people_values import appointment_to_proto, person_to_proto
from services.hierarchy.translate.values import timestamp
from services.hierarchy.use_cases.people import ShownPerson
from services.hierarchy.use_cases.rights import Answered, ShownViewer, Whose

MAX_QUESTIONS = 1_000


def whose_from_proto(
    message: pb.GetViewerRequest | pb.CheckAccessRequest | pb.BatchCheckAccessRequest,
) -> Whose:
    """Whose rights. Raises `InvalidInput` (BAD_SUBJECT, OUT_OF_RANGE)."""
    faults = Violations()
    if len(message.subject) > MAX_SUBJECT_CHARS:
        faults.add("subject", "BAD_SUBJECT", f"has over {MAX_SUBJECT_CHARS} characters")
    _check_version(faults, "at_least_access_version", message.at_least_access_version)
    faults.raise_if_any()
    return Whose(message.subject or None, message.at_least_access_version)


def known_from_proto(message: pb.GetViewerRequest) -> int:
    """The version that the asker holds. Raises `InvalidInput` (OUT_OF_RANGE)."""
    faults = Violations()
    _check_version(faults, "known_access_version", message.known_access_version)
    faults.raise_if_any()
    return message.known_access_version


def question_from_proto(message: pb.CheckAccessRequest) -> Question:
    """The question. Raises `InvalidInput` with everything that is wrong."""
    return _question(message.question, "question")


def questions_from_proto(message: pb.BatchCheckAccessRequest) -> list[Question | InvalidInput]:
    """One question or fault for each.

    Raises:
        InvalidInput: MISSING or TOO_MANY on `questions`, for the batch as a whole.
    """
    count = len(message.questions)
    if not count:
        raise InvalidInput.of("questions", "MISSING", "at least one question is needed")
    if count > MAX_QUESTIONS:
        raise InvalidInput.of("questions", "TOO_MANY", f"has {count}, at most {MAX_QUESTIONS}")
    return [_question_or_fault(each, index) for index, each in enumerate(message.questions)]


def viewer_to_proto(shown: ShownViewer) -> pb.GetViewerResponse:
    """Who somebody is. Raises `InvalidInput` (ANSWER_TOO_LARGE)."""
    viewer = shown.viewer
    # Whoever asks knows the subject; the number stays masked.
    person = viewer.person and ShownPerson(viewer.person, None, may_see_whole=True)
    answer = pb.GetViewerResponse(
        access_version=viewer.header.access_version,
        person=person_to_proto(person) if person else None,
        appointments=map(appointment_to_proto, shown.appointments),
        grants=map(_grant, viewer.grants),
        valid_until=timestamp(viewer.valid_until) if viewer.valid_until else None,
    )
    return checked(answer, "subject")


def results_to_proto(
    asked: Sequence[Question | InvalidInput], answered: Answered
) -> pb.BatchCheckAccessResponse:
    """One result for each that was asked; `answered` has those that were questions, in order."""
    return pb.BatchCheckAccessResponse(
        access_version=answered.access_version, results=_results(asked, answered.allowed)
    )


def _results(
    asked: Iterable[Question | InvalidInput], allowed: Iterable[bool]
) -> Iterator[pb.AccessResult]:
    following = iter(allowed)
    for each in asked:
        if isinstance(each, ChaupalError):
            yield pb.AccessResult(status=error_to_status(each, DOMAIN))
        else:
            yield pb.AccessResult(allowed=next(following))


def _question_or_fault(message: pb.AccessQuestion, index: int) -> Question | InvalidInput:
    try:
        return _question(message, f"questions[{index}]")
    except InvalidInput as error:
        return error


def _question(message: pb.AccessQuestion, path: str) -> Question:
    faults = Violations()
    if not message.capability:
        faults.add(f"{path}.capability", "MISSING", "a capability is needed")
    elif message.capability not in CAPABILITIES:
        said = f"{quoted(message.capability)} is not one of {', '.join(CAPABILITIES)}"
        faults.add(f"{path}.capability", "UNKNOWN_CAPABILITY", said)
    check_id(faults, f"{path}.unit_id", message.unit_id)
    check_key(faults, f"{path}.category", message.category, needed=False)
    check_key(faults, f"{path}.group_kind", message.group_kind, needed=False)
    faults.raise_if_any()
    return Question(
        message.capability, UnitId(message.unit_id), message.category, message.group_kind
    )


def _check_version(faults: Violations, path: str, version: int) -> None:
    if version < 0:
        faults.add(path, "OUT_OF_RANGE", "must not be negative")


def _grant(scoped: ScopedGrant) -> pb.ScopedGrant:
    grant = scoped.grant
    return pb.ScopedGrant(
        grant=hierarchy_pb2.Grant(
            capability=grant.capability,
            categories=grant.categories,
            group_kinds=grant.group_kinds,
        ),
        unit_id=scoped.unit_id or "",
    )
