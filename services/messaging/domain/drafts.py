"""What a draft may hold. Every fault is named, so that an author corrects them in one go."""

import re
from collections.abc import Callable, Collection, Sequence

from kit.errors import InvalidInput, Violations
from services.messaging.domain.broadcasts import Audience, AudienceTerm, Draft

TITLE_CHARACTERS = 120
TEXT_CHARACTERS = 4_096  # of one message of the messenger
LANGUAGES = 32
TERMS = 50
UNITS_OF_TERM = 1_000
KINDS_OF_TERM = 64
CATEGORIES_OF_TERM = 256
KEY_CHARACTERS = 64
# All together, so that the longest broadcast is well under a megabyte: they are read in pages.
NAMES_OF_AUDIENCE = 5_000

# The shape of RFC 5646; whether its subtags are registered is not our business.
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_draft(draft: Draft, transports: Collection[str]) -> None:
    """Raise `InvalidInput` with every fault of the draft; fields begin with `broadcast`.

    Args:
        draft: What an author wrote.
        transports: Names of those that are configured.
    """
    faults = Violations()
    _check_title(draft.title, faults)
    _check_texts(draft, faults)
    _check_audience(draft, faults)
    if draft.transport not in transports:
        known = ", ".join(sorted(transports))
        faults.add("broadcast.transport", "UNKNOWN_TRANSPORT", f"must be one of: {known}")
    faults.raise_if_any()


def nothing_selected() -> InvalidInput:
    """The audience is well formed, and nobody is in it."""
    return InvalidInput.of(
        "broadcast.audience", "AUDIENCE_SELECTS_NOTHING", "the audience selects no group"
    )


def _check_title(title: str, faults: Violations) -> None:
    if not title.strip():
        faults.add("broadcast.title", "TITLE_MISSING", "a broadcast needs a title")
    elif len(title) > TITLE_CHARACTERS:
        faults.add("broadcast.title", "TITLE_TOO_LONG", f"at most {TITLE_CHARACTERS} characters")


def _check_texts(draft: Draft, faults: Violations) -> None:
    if not draft.texts:
        faults.add("broadcast.texts", "TEXT_MISSING", "a broadcast needs a text")
    if len(draft.texts) > LANGUAGES:
        faults.add("broadcast.texts", "TOO_MANY_LANGUAGES", f"at most {LANGUAGES} languages")
        return
    for language, text in sorted(draft.texts.items()):
        path = f'broadcast.texts["{language[:KEY_CHARACTERS]}"]'
        if not _LANGUAGE.fullmatch(language):
            faults.add(path, "BAD_LANGUAGE", "the key is no BCP 47 tag, such as hi or en")
        if not text.strip():
            faults.add(path, "TEXT_MISSING", "the text is empty")
        elif len(text) > TEXT_CHARACTERS:
            faults.add(path, "TEXT_TOO_LONG", f"at most {TEXT_CHARACTERS} characters")


def _check_audience(draft: Draft, faults: Violations) -> None:
    audience = draft.audience
    if not audience.include:
        faults.add("broadcast.audience.include", "EMPTY_AUDIENCE", "name at least one unit")
    if _names_in(audience) > NAMES_OF_AUDIENCE:
        said = f"at most {NAMES_OF_AUDIENCE} units, kinds and categories altogether"
        faults.add("broadcast.audience", "TOO_MANY", said)
        return
    for part, terms in (("include", audience.include), ("exclude", audience.exclude)):
        path = f"broadcast.audience.{part}"
        if len(terms) > TERMS:
            faults.add(path, "TOO_MANY", f"at most {TERMS} terms")
            continue
        for at, term in enumerate(terms):
            _check_term(f"{path}[{at}]", term, faults)
            if part == "include" and not term.unit_ids:
                faults.add(f"{path}[{at}].unit_ids", "UNIT_NEEDED", "name at least one unit")


def _names_in(audience: Audience) -> int:
    return sum(
        len(term.unit_ids) + len(term.kinds) + len(term.categories)
        for term in (*audience.include, *audience.exclude)
    )


def _check_term(path: str, term: AudienceTerm, faults: Violations) -> None:
    _check_list(f"{path}.unit_ids", term.unit_ids, UNITS_OF_TERM, _is_uuid, faults)
    _check_list(f"{path}.kinds", term.kinds, KINDS_OF_TERM, _is_key, faults)
    _check_list(f"{path}.categories", term.categories, CATEGORIES_OF_TERM, _is_key, faults)


def _check_list(
    path: str, items: Sequence[str], most: int, good: Callable[[str], bool], faults: Violations
) -> None:
    if len(items) > most:
        faults.add(path, "TOO_MANY", f"at most {most}")
        return
    for at, item in enumerate(items):
        if not good(item):
            faults.add(f"{path}[{at}]", "BAD_ID" if good is _is_uuid else "BAD_KEY", "malformed")


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _is_key(text: str) -> bool:
    return 0 < len(text) <= KEY_CHARACTERS
