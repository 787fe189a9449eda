"""Reading and masking phone numbers, and sealing them."""

import base64
from dataclasses import replace

import pytest

from services.hierarchy.domain.people import PersonId
from services.hierarchy.domain.people_errors import SecretUnreadable
from services.hierarchy.domain.phones import PhoneNumber
from tests.builders_people import some_keys

ASHA, OTHER = PersonId("asha"), PersonId("other")
PHONE = PhoneNumber("+919876543210")
NONCE = bytes(range(12))


@pytest.mark.parametrize(
    "typed",
    [
        "+919876543210",
        "+91 98765 43210",
        "+91-98765-43210",
        "+91 (98765) 43.210",
        "+91\u00a09876543210",
    ],
)
def test_what_people_put_between_digits_does_not_matter(typed: str) -> None:
    assert PhoneNumber.read(typed) == PHONE


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "9876543210",
        "00919876543210",
        "+09876543210",
        "+9198765",
        "+9198765432101234",
        "+91 98765 4321O",
        "+९१९८७६५४३२१०",
        "++919876543210",
        "+91\n9876543210",
        "+" + " " * 50 + "919876543210",
    ],
)
def test_what_is_no_number_in_e164_is_none(typed: str) -> None:
    assert PhoneNumber.read(typed) is None


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+919876543210", "+91 ••••••3210"),
        ("+12025550123", "+1 ••••••0123"),
        ("+77012345678", "+7 ••••••5678"),
        ("+9779812345678", "+977 ••••••5678"),
        ("+35699123456", "+356 ••••3456"),
        ("+29012345", "+290 •••45"),
    ],
)
def test_a_mask_leaves_the_country_and_the_last_digits(number: str, masked: str) -> None:
    phone = PhoneNumber(number)

    assert phone.masked == masked
    assert f"{phone}" == masked
    assert not any(number[1:] in shown for shown in (repr(phone), str(phone), repr([phone])))


def test_a_sealed_number_is_opened_with_the_same_keys_for_the_same_person() -> None:
    keys = some_keys("neem")
    sealed = keys.seal(ASHA, PHONE, NONCE)

    assert keys.open(ASHA, sealed) == PHONE
    assert (sealed.masked, sealed.key_version, sealed.pepper_version) == ("+91 ••••••3210", 1, 1)
    assert sealed.hash == keys.hashes(PHONE)[1]
    assert b"9876543210" not in base64.b64decode(sealed.sealed)


@pytest.mark.parametrize(
    ("tenant", "person"), [("peepal", ASHA), ("neem", OTHER), ("nee", PersonId("m\nasha"))]
)
def test_a_seal_is_bound_to_tenant_and_person(tenant: str, person: PersonId) -> None:
    sealed = some_keys("neem").seal(ASHA, PHONE, NONCE)

    # The same key, so that only the binding can refuse.
    with pytest.raises(SecretUnreadable) as refused:
        some_keys(tenant).open(person, sealed)

    assert "9876543210" not in f"{refused.value!r} {refused.value}"


@pytest.mark.parametrize("harmed", ["", "AAAA", base64.b64encode(bytes(60)).decode()])
def test_what_was_damaged_is_not_opened(harmed: str) -> None:
    keys = some_keys()
    sealed = keys.seal(ASHA, PHONE, NONCE)

    with pytest.raises(SecretUnreadable):
        keys.open(ASHA, replace(sealed, sealed=harmed))


def test_the_newest_secrets_seal_and_all_of_them_find() -> None:
    keys = some_keys("neem", 1, 2)
    sealed = keys.seal(ASHA, PHONE, NONCE)

    assert (sealed.key_version, sealed.pepper_version) == (2, 2)
    assert keys.hashes(PHONE) == {
        1: some_keys("neem", 1).hashes(PHONE)[1],
        2: some_keys("neem", 2).hashes(PHONE)[2],
    }
    assert len(set(keys.hashes(PHONE).values())) == 2


def test_no_repr_shows_a_secret() -> None:
    keys = some_keys("neem", 7)
    sealed = keys.seal(ASHA, PHONE, NONCE)

    shown = f"{keys!r} {sealed!r} {[keys, sealed]}"

    secrets = (repr(keys.peppers[7]), sealed.hash, sealed.sealed, "43210", "3210")
    assert [each for each in secrets if each in shown] == []
