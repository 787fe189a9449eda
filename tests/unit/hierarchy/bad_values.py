"""What can be wrong with each field of a request: walks a good one and spoils it, once for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

# A placeholder, and half of a pair of UTF-16 as three bytes, which are no UTF-8.
_HALF, _HALF_BYTES = "~§~", b"\xed\xa0\x80\x7e"
_INSTANTS: Mapping[str, tuple[int, int]] = {
    "far future": (10**18, 0),
    "far past": (-(10**18), 0),
    "negative nanos": (0, -1),
    "too many nanos": (0, 2_000_000_000),
    "first instant": (-62_135_596_800, 0),
    "last instant": (253_402_300_799, 999_999_999),
}
_ID = {
    "empty": "",
    "too long": "a" * 10_000,
    "control": "00000000-0000-4000-8000-00000000000\n",
    "no uuid": "7",
    "upper case": "ABCDEF00-0000-4000-8000-000000000000",
    "braces": "{00000000-0000-4000-8000-000000000000}",
}
_KEY = {"empty": "", "too long": "k" * 65, "control": "boo\0th", "no key": "Not A Key"}
_CODE = {"empty": "", "too long": "c" * 65, "control": "a\nb", "no code": "a b/.."}
_WORD = {"empty": "", "too long": "w" * 10_000, "control": "wo\0rd", "no word": "A Word"}
_STRINGS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "id", "ids", "unit_id", "unit_ids", "person_id", "person_ids", "parent_id",
            "parent_ids", "within_unit_id", "covers_watch_id", "request_id",
        ),
        _ID,
    ),
    **dict.fromkeys(
        (
            "level", "levels", "parent_level", "centre_level", "key", "kind", "position",
            "positions", "role", "category", "categories", "group_kind", "group_kinds",
        ),
        _KEY,
    ),
    **dict.fromkeys(("code", "parent_code"), _CODE),
    **dict.fromkeys(("style", "roles", "capability"), _WORD),
    "phone": {
        "empty": "",
        "too long": "+91" + "9" * 60,
        "control": "+919800\n00000",
        "no number": "call me",
        "too short": "+91234",
    },
    "subject": {"empty": "", "too long": "s" * 256, "control": "a\0b", "edges": " asha"},
    "query": {"empty": "", "blank": " \t ", "too long": "q" * 101, "control": "jai\0pur"},
    "etag": {"empty": "", "too long": "e" * 10_000, "control": "1\n"},
    "page_token": {"empty": "", "too long": "x" * 3_000, "control": "\0", "no token": "e30"},
}  # fmt: skip
_TENANT = {
    "empty": "",
    "too long": "t" * 64,
    "control": "ne\nem",
    "upper case": "NEEM",
    "too short": "n",
}
_TEXTS: Mapping[str, Callable[[Any], object]] = {
    "empty": lambda texts: texts.clear(),
    "too long": lambda texts: texts.update(en="x" * 201),
    "control": lambda texts: texts.update(en="a\x07b"),
    "blank": lambda texts: texts.update(en="  "),
    "no english": lambda texts: texts.pop("en"),
    "no tag": lambda texts: texts.update(English="x"),
    "too many": lambda texts: texts.update({f"a{each}": "x" for each in "abcdefghij"}),
}
_NUMBERS: Mapping[int, Mapping[str, float]] = {
    FieldDescriptor.TYPE_INT32: {"negative": -1, "huge": 2**31 - 1},
    FieldDescriptor.TYPE_INT64: {"negative": -1, "huge": 2**63 - 1},
    FieldDescriptor.TYPE_DOUBLE: {
        "negative": -1e308,
        "huge": 1e308,
        "no number": float("nan"),
        "infinite": float("inf"),
        "a little over": 180.1,
    },
    FieldDescriptor.TYPE_ENUM: {"unspecified": 0, "unknown": 99, "negative": -1},
}
# How many there may be of what is repeated; otherwise 1,000.
_MOST: Mapping[str, int] = {
    "Blueprint.levels": 16, "Blueprint.group_kinds": 64, "Blueprint.categories": 256,
    "Blueprint.positions": 256, "Blueprint.team_kinds": 64, "Position.levels": 16,
    "Position.roles": 4, "Position.grants": 16, "Grant.categories": 256, "Grant.group_kinds": 64,
    "TeamKind.levels": 16, "BatchListChildrenRequest.parent_ids": 500,
    "ListDescendantsRequest.levels": 16, "SearchUnitsRequest.levels": 16,
    "BatchListUnitAppointmentsRequest.positions": 256, "ReorganiseRequest.steps": 10_000,
    "CreateStep.take": 10_000, "AreaEntry.units": 10_000, "Team.members": 10_000,
    "ImportUnitsPage.rows": 5_000, "RowPage.areas": 5_000, "RowPage.persons": 5_000,
    "RowPage.appointments": 5_000, "RowPage.teams": 10_000, "AreaRow.units": 50_000,
}  # fmt: skip
# Said by the service, and not looked at in requests; good requests have nonsense in them.
_OUTPUT_ONLY = frozenset(
    {
        "Blueprint.version", "Area.id", "Team.valid_from", "Team.etag", "TeamMember.valid_from",
        "Tenant.status", "Tenant.used", "Tenant.tree_version", "Tenant.changed_at",
    }
)  # fmt: skip
# A page of an import has rows of the header's kind; units only come out.
_NEVER_SENT = frozenset({"RowPage.units"})


@dataclass(frozen=True)
class Bad:
    """One thing to do to a copy of a good request.

    Attributes:
        path: of the field, as violations name it; empty where the request cannot be read at all.
        name: of the value: "too long".
        spoil: puts it there.
        raw: what is sent for the request then, where that is no message.
    """

    path: str
    name: str
    spoil: Callable[[Message], object]
    raw: Callable[[Message], bytes] | None = None


@dataclass
class Walk:
    """Walks a good request; `seen` are the fields that it came to, `Message.field`."""

    seen: set[str] = field(default_factory=set)

    def through(self, request: Message) -> Iterator[Bad]:
        """Everything that can be wrong with it."""
        yield from self._message(request, lambda root: root, "")

    def _message(self, message: Message, at: Callable[[Message], Any], path: str) -> Iterator[Bad]:
        for each in message.DESCRIPTOR.fields:
            name = short_name(each)
            if name in _OUTPUT_ONLY or name in _NEVER_SENT:
                continue
            self.seen.add(name)
            yield from self._field(message, each, at, f"{path}.{each.name}" if path else each.name)
        for oneof in message.DESCRIPTOR.oneofs:
            chosen = message.WhichOneof(oneof.name)
            if chosen and not oneof.name.startswith("_"):
                yield Bad(path or oneof.name, "none of", _clearing(at, chosen))

    def _field(
        self, message: Message, each: Any, at: Callable[[Message], Any], path: str
    ) -> Iterator[Bad]:
        of, name = each.message_type, each.name
        if of and of.GetOptions().map_entry:
            for what, spoil in _TEXTS.items():
                yield Bad(path, what, _calling(at, name, spoil))
            yield _unreadable(_calling(at, name, lambda texts: texts.update(en=_HALF)))
        elif each.is_repeated:
            yield from self._repeated(message, each, at, path)
        elif of and of.full_name == "google.protobuf.Timestamp":
            for what, instant in _INSTANTS.items():
                yield Bad(path, what, _setting_instant(at, name, instant))
        elif of:
            yield from self._nested(message, each, at, path)
        elif not each.containing_oneof or message.HasField(name):
            for what, value in _values(each).items():
                yield Bad(path, what, _setting(at, name, value))
            if each.type == FieldDescriptor.TYPE_STRING:
                yield _unreadable(_setting(at, name, _HALF))

    def _nested(
        self, message: Message, each: Any, at: Callable[[Message], Any], path: str
    ) -> Iterator[Bad]:
        name = each.name
        if not message.HasField(name):
            return
        oneof = each.containing_oneof
        if oneof is None or oneof.name.startswith("_"):
            yield Bad(path, "unset", _clearing(at, name))
        below = getattr(message, name)
        yield from self._message(below, lambda root: getattr(at(root), name), path)

    def _repeated(
        self, message: Message, each: Any, at: Callable[[Message], Any], path: str
    ) -> Iterator[Bad]:
        items, name = getattr(message, each.name), each.name
        if not items:
            return
        yield Bad(path, "empty", _clearing(at, name))
        most = _MOST.get(short_name(each), 1_000)
        yield Bad(path, "too many", _extending(at, name, items[0], most + 1 - len(items)))
        if each.message_type:
            yield from self._message(
                items[0], lambda root: getattr(at(root), name)[0], f"{path}[0]"
            )
            return
        for what, value in _values(each).items():
            yield Bad(f"{path}[0]", what, _setting_first(at, name, value))
        yield _unreadable(_setting_first(at, name, _HALF))


def _unreadable(spoil: Callable[[Message], object]) -> Bad:
    """With half of a pair of UTF-16 in a text, which no library of protobuf reads."""
    return Bad("", "no UTF-8", spoil, _without_utf8)


def fields_of(message: Any) -> Iterator[str]:
    """Every field of a message and of those in it that a caller may send."""
    waiting, known = [message], set()
    while waiting:
        of = waiting.pop()
        if of.full_name in known or not of.full_name.startswith("chaupal."):
            continue
        known.add(of.full_name)
        for each in of.fields:
            if short_name(each) not in _OUTPUT_ONLY | _NEVER_SENT and not of.GetOptions().map_entry:
                yield short_name(each)
                waiting += [each.message_type] if each.message_type else []


def short_name(each: Any) -> str:
    """The message and the field: "Team.members"."""
    return f"{each.containing_type.name}.{each.name}"


def _values(each: Any) -> Mapping[str, Any]:
    if each.type == FieldDescriptor.TYPE_BOOL:
        return {}
    if each.type != FieldDescriptor.TYPE_STRING:
        return _NUMBERS[each.type]
    is_tenants = each.containing_type.file.name.endswith("/tenants.proto")
    if is_tenants and each.name in ("id", "confirm_id"):
        return _TENANT
    return _STRINGS[each.name]


def _clearing(at: Callable[[Message], Any], name: str) -> Callable[[Message], object]:
    return lambda root: at(root).ClearField(name)


def _calling(
    at: Callable[[Message], Any], name: str, spoil: Callable[[Any], object]
) -> Callable[[Message], object]:
    return lambda root: spoil(getattr(at(root), name))


def _setting(at: Callable[[Message], Any], name: str, value: Any) -> Callable[[Message], object]:
    return lambda root: setattr(at(root), name, value)


def _setting_instant(
    at: Callable[[Message], Any], name: str, instant: tuple[int, int]
) -> Callable[[Message], object]:
    def spoil(root: Message) -> None:
        message = getattr(at(root), name)
        message.seconds, message.nanos = instant
        message.SetInParent()

    return spoil


def _setting_first(
    at: Callable[[Message], Any], name: str, value: Any
) -> Callable[[Message], object]:
    def spoil(root: Message) -> None:
        getattr(at(root), name)[0] = value

    return spoil


def _extending(
    at: Callable[[Message], Any], name: str, item: Any, count: int
) -> Callable[[Message], object]:
    return lambda root: getattr(at(root), name).extend([item] * count)


def _without_utf8(message: Message) -> bytes:
    raw = message.SerializeToString()
    assert raw.count(_HALF.encode()) == 1
    return raw.replace(_HALF.encode(), _HALF_BYTES)


def spoilt(bad: Bad, messages: Sequence[Message], index: int) -> list[Message | bytes]:
    """A copy of a request whose message at that index is spoilt."""
    copies: list[Message | bytes] = []
    for number, each in enumerate(messages):
        copy = type(each)()
        copy.CopyFrom(each)
        if number == index:
            bad.spoil(copy)
        copies.append(bad.raw(copy) if bad.raw and number == index else copy)
    return copies
