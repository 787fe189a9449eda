"""Good requests for every method, each field of which is used in one of them.

A text that begins with `@` stands for an id: of something that the world of a test has, or a new
one for `@request`. What is None is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# One request; of a method that takes a stream, the messages of one.
Template = Mapping[str, Any] | Sequence[Mapping[str, Any]]

BEGINNING = "2026-01-01T00:00:00Z"
NAMES = {"by_language": {"en": "Somewhere", "hi": "कहीं"}}
PLACE = {"latitude": 26.9, "longitude": 75.8}
MANDAL, STATE = {"level": "mandal", "code": "M1"}, {"level": "state", "code": "RJ"}
WRITE = {"request_id": "@request", "validate_only": False}
CHANGE = {**WRITE, "effective_at": None}
PAGE = {"page_size": 1, "page_token": ""}
ASKED = {"capability": "view", "unit_id": "@M1", "category": "farmers", "group_kind": "category"}


def key(level: str, code: str) -> Mapping[str, Any]:
    return {"key": {"level": level, "code": code}}


def new_unit(level: str, code: str, parent: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"level": level, "code": code, "names": NAMES, "parent": parent, "place": PLACE}


def reorganise(**step: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"steps": [step], **CHANGE, "tree_version": 0}


def rows(kind: str, /, **row: Any) -> Sequence[Mapping[str, Any]]:
    """An import of one row."""
    header = {"request_id": "@request", "validate_only": False, "kind": f"ROW_KIND_{kind.upper()}"}
    return [{"header": header}, {"page": {kind: [{"row": 2, **row}]}}]


UNIT_READS: Mapping[str, Sequence[Template]] = {
    "GetBlueprint": [{}],
    "GetUnit": [
        {"key": MANDAL, "as_of": BEGINNING},
        {"id": "@M1", "as_of": BEGINNING},
    ],
    "BatchGetUnits": [{"ids": ["@M1"], "as_of": BEGINNING}],
    "ListChildren": [{"parent_id": "@JPR", **PAGE, "as_of": BEGINNING}],
    "BatchListChildren": [{"parent_ids": ["@JPR"], "page_size": 1, "as_of": BEGINNING}],
    "ListAncestors": [{"unit_id": "@M1", "as_of": BEGINNING}],
    "BatchListAncestors": [{"unit_ids": ["@M1"], "as_of": BEGINNING}],
    "ListDescendants": [{"unit_id": "@JPR", "levels": ["booth"], "as_of": BEGINNING}],
    "CountUnits": [{"unit_id": "@JPR", "as_of": BEGINNING}],
    "SearchUnits": [{"query": "booth", "levels": ["booth"], "within_unit_id": "@JPR", **PAGE}],
    "ListUnitHistory": [{"unit_id": "@M1", **PAGE}],
    "ListAreas": [{"kind": "seat", **PAGE}],
    "BatchListUnitAreas": [{"unit_ids": ["@M1"], "as_of": BEGINNING}],
    "StreamTree": [{"known_version": 1, "accepts_deltas": True}],
}
UNIT_WRITES: Mapping[str, Sequence[Template]] = {
    "PutBlueprint": [{"blueprint": "@blueprint", "validate_only": False}],
    "CreateUnit": [
        {"unit": new_unit("booth", "B8", {"id": "@M1"}), **CHANGE},
        {"unit": new_unit("booth", "B9", {"key": MANDAL}), **CHANGE},
    ],
    "UpdateUnit": [
        {"id": "@B1", "names": NAMES, "code": "B10", "place": PLACE, "etag": "", **CHANGE},
        {"id": "@B1", "clear_place": True, "etag": "", **CHANGE},
    ],
    "MoveUnit": [{"id": "@B2", "parent_id": "@M2", "etag": "", **CHANGE}],
    "CloseUnit": [{"id": "@B2", "etag": "", **CHANGE}],
    "Reorganise": [
        reorganise(
            create={"unit": new_unit("mandal", "M3", {"id": "@JPR"}), "take": [{"id": "@B1"}]}
        ),
        reorganise(
            create={
                "unit": new_unit("booth", "B3", key("mandal", "M3")),
                "take": [],
            }
        ),
        reorganise(
            create={
                "unit": new_unit("mandal", "M4", {"id": "@JPR"}),
                "take": [key("booth", "B3")],
            }
        ),
        reorganise(update={"unit": {"id": "@M2"}, "names": NAMES, "code": "M20", "place": PLACE}),
        reorganise(update={"unit": key("mandal", "M20"), "clear_place": True}),
        reorganise(move={"unit": {"id": "@B1"}, "parent": {"id": "@M1"}}),
        reorganise(move={"unit": key("booth", "B10"), "parent": key("mandal", "M20")}),
        reorganise(merge={"units": [{"id": "@M1"}], "into": {"id": "@M2"}}),
        reorganise(merge={"units": [key("mandal", "M3")], "into": key("mandal", "M20")}),
        reorganise(
            split={
                "unit": {"id": "@M2"},
                "parts": [
                    {
                        "unit": new_unit("mandal", "M5", {"id": "@JPR"}),
                        "take": [{"id": "@B1"}],
                    }
                ],
                "keeps": True,
            }
        ),
        reorganise(
            split={
                "unit": key("mandal", "M20"),
                "parts": [
                    {
                        "unit": new_unit("mandal", "M6", key("district", "JPR")),
                        "take": [key("booth", "B8")],
                    }
                ],
                "keeps": True,
            }
        ),
        reorganise(close={"unit": {"id": "@B1"}}),
        reorganise(close={"unit": key("booth", "B8")}),
    ],
    "PutAreas": [
        {
            "areas": [
                {
                    "area": {"id": "ignored", "kind": "seat", "code": code, "names": NAMES},
                    "sets_units": True,
                    "units": [unit],
                    "closed": False,
                }
            ],
            **CHANGE,
        }
        for code, unit in (("3", {"id": "@JPR"}), ("4", key("district", "JPR")))
    ],
    "ImportUnits": [
        [
            {"header": CHANGE},
            {
                "page": {
                    "rows": [
                        {
                            "row": 2,
                            "level": "booth",
                            "code": "C9",
                            "names": NAMES,
                            "parent_level": "mandal",
                            "parent_code": "N1",
                            "place": PLACE,
                        }
                    ]
                }
            },
        ]
    ],
}
PEOPLE: Mapping[str, Sequence[Template]] = {
    "PutPerson": [
        {"names": NAMES, "phone": "+919800000077", "subject": "new", "etag": "", **WRITE},
        {"id": "@asha", "names": NAMES, "phone": "+919800000078", "subject": "asha", **WRITE},
        {"id": "@asha", "clear_phone": True, "clear_subject": True, **WRITE},
    ],
    "BatchGetPersons": [{"ids": ["@asha"], "unmask": True}],
    "FindPersonByPhone": [{"phone": "+919800000002"}],
    "Appoint": [
        {
            "unit_id": "@M1",
            "position": "secretary",
            "person_id": "@asha",
            "valid_from": None,
            "valid_to": None,
            **WRITE,
        }
    ],
    "VerifyAppointments": [{"ids": ["@office"], "request_id": "@request"}],
    "BatchListUnitAppointments": [
        {
            "unit_ids": ["@M1"],
            "positions": ["secretary"],
            "as_of": BEGINNING,
            "with_ended": True,
        }
    ],
    "BatchListPersonAppointments": [
        {"person_ids": ["@asha"], "as_of": BEGINNING, "with_ended": True}
    ],
    "ListVacancies": [
        {"position": "president", "level": "booth", "within_unit_id": "@JPR", **PAGE}
    ],
    "ListVerificationQueue": [
        {
            "state": "VERIFICATION_STATE_UNVERIFIED",
            "within_unit_id": "@JPR",
            "position": "president",
            **PAGE,
        }
    ],
    "CountAppointments": [{"within_unit_id": "@JPR"}],
    "EndAppointments": [{"ids": ["@office"], "valid_to": None, "request_id": "@request"}],
    "PutTeam": [
        {
            "team": {
                "id": team,
                "unit_id": "@JPR",
                "kind": "it_cell",
                "names": NAMES,
                "members": [
                    {"person_id": "@asha", "role": "lead", "valid_from": "0001-01-01T00:00:00Z"}
                ],
                "valid_from": "0001-01-01T00:00:00Z",
                "etag": "ignored",
            },
            "closed": False,
            **WRITE,
        }
        for team in ("", "@team")
    ],
    "BatchListTeams": [{"unit_ids": ["@JPR"], "as_of": BEGINNING}],
    "AssignWatch": [
        {"unit_id": "@AJM", "person_id": "@asha", "valid_from": None, **WRITE},
        {
            "unit_id": "@JPR",
            "person_id": "@bela",
            "covers_watch_id": "@watch",
            "valid_to": "2026-02-01T00:00:00Z",
            **WRITE,
        },
    ],
    "EndWatch": [{"id": "@watch", "valid_to": None, "request_id": "@request"}],
    "BatchGetWatchLines": [{"unit_ids": ["@B1"], "as_of": BEGINNING}],
    "ListWatches": [{"person_id": "@asha", "as_of": BEGINNING, **PAGE}],
    "ListUnwatched": [{"level": "booth", "within_unit_id": "@JPR", **PAGE}],
    "ErasePerson": [{"id": "@charu", "request_id": "@request"}],
}
ACCESS: Mapping[str, Sequence[Template]] = {
    "GetViewer": [{"subject": "@subject", "known_access_version": 0, "at_least_access_version": 0}],
    "GetAccessVersion": [{}],
    "CheckAccess": [{"question": ASKED, "subject": "@subject", "at_least_access_version": 0}],
    "BatchCheckAccess": [
        {"questions": [ASKED], "subject": "@subject", "at_least_access_version": 0}
    ],
}
TRANSFERS: Mapping[str, Sequence[Template]] = {
    "ImportRows": [
        rows("areas", kind="seat", code="7", names=NAMES, sets_units=True, units=[MANDAL]),
        rows(
            "persons",
            id="00000000-0000-4000-8000-00000000000a",
            phone="+919800000079",
            names=NAMES,
            subject="imported",
        ),
        rows(
            "appointments",
            unit=MANDAL,
            position="secretary",
            person={"id": "@asha", "phone": "+919800000001", "names": NAMES},
            valid_from=BEGINNING,
            valid_to="2026-02-01T00:00:00Z",
            verified_at=BEGINNING,
        ),
        rows(
            "teams",
            unit={"level": "district", "code": "AJM"},
            kind="it_cell",
            names=NAMES,
            person={"id": "@asha", "phone": "+919800000001", "names": NAMES},
            role="lead",
        ),
    ],
    "ExportRows": [
        {
            "kind": "ROW_KIND_UNITS",
            "within_unit_id": "@JPR",
            "with_ended": True,
            "as_of": BEGINNING,
        }
    ],
}
QUOTAS = {"unit_count": 1_000, "person_count": 1_000, "appointment_count": 1_000}
TENANTS: Mapping[str, Sequence[Template]] = {
    "CreateTenant": [
        {
            "tenant": {
                "id": "mango",
                "status": "TENANT_STATUS_DELETED",
                "quotas": QUOTAS,
                "used": {"unit_count": -1, "person_count": -1, "appointment_count": -1},
                "tree_version": -1,
                "changed_at": BEGINNING,
            },
            "request_id": "@request",
        }
    ],
    "GetTenant": [{"id": "neem"}],
    "ListTenants": [PAGE],
    "UpdateTenant": [
        {
            "id": "mango",
            "status": "TENANT_STATUS_SUSPENDED",
            "quotas": QUOTAS,
            "request_id": "@request",
        }
    ],
    "ExportTenant": [{"id": "neem"}],
    "DeleteTenant": [{"id": "mango", "confirm_id": "mango"}],
    "RotateTenantKeys": [{"id": "neem", "new_secrets": True}],
}
REQUESTS: Mapping[str, Sequence[Template]] = {
    **UNIT_READS,
    **UNIT_WRITES,
    **PEOPLE,
    **ACCESS,
    **TRANSFERS,
}
