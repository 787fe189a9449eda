"""Key-encryption keys in a file: what it must be, and what its keys wrap."""

import asyncio
import base64
import stat
from pathlib import Path

import pytest

from services.hierarchy.adapters.key_files import KeyFile, KeyFileUnusable
from services.hierarchy.domain.people_errors import KeyNotHeld, SecretUnreadable
from services.hierarchy.ports import WrappedSecret

SECRET, CONTEXT = bytes(range(32)), b"data_key\nneem\n1"


def a_key(fill: int) -> str:
    return base64.b64encode(bytes([fill]) * 32).decode()


def a_file(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    file = folder / "keys"
    file.unlink(missing_ok=True)
    file.write_text("\n".join(lines))
    file.chmod(mode)
    return file


async def test_the_first_key_wraps_and_any_of_them_opens(tmp_path: Path) -> None:
    old = KeyFile(a_file(tmp_path, "# before", "", f"old {a_key(1)}"))
    both = KeyFile(a_file(tmp_path, f"new {a_key(2)}", f"old {a_key(1)}", mode=0o440))

    by_old, by_new = await old.wrap(SECRET, CONTEXT), await both.wrap(SECRET, CONTEXT)

    assert (old.current_key_id, by_old.key_id) == ("old", "old")
    assert (both.current_key_id, by_new.key_id) == ("new", "new")
    assert await both.unwrap(by_old, CONTEXT) == await both.unwrap(by_new, CONTEXT) == SECRET
    with pytest.raises(KeyNotHeld) as refused:
        await old.unwrap(by_new, CONTEXT)
    assert refused.value.fields() == {"key_id": "new"}


async def test_what_is_wrapped_is_bound_to_its_context_and_never_the_same(tmp_path: Path) -> None:
    keys = KeyFile(a_file(tmp_path, f"k {a_key(1)}"))
    first, second = await keys.wrap(SECRET, CONTEXT), await keys.wrap(SECRET, CONTEXT)

    assert first != second
    assert base64.b64encode(SECRET).decode() not in first.wrapped
    for harmed in (
        WrappedSecret(first.wrapped, "k"),
        WrappedSecret("not base64", "k"),
        WrappedSecret("", "k"),
    ):
        with pytest.raises(SecretUnreadable):
            await keys.unwrap(harmed, b"data_key\npeepal\n1")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "it has no key"),
        (["# nothing"], "it has no key"),
        (["key-1"], "line 1: expected the id of a key, a space, and the key in base64"),
        ([f"a/b {a_key(1)}"], "line 1: expected the id of a key, a space, and the key in base64"),
        (["", "k s3cret!"], "line 2: the key is not base64"),
        (["k c2hvcnQ="], "line 1: the key has 5 bytes, not 32"),
        ([f"k {a_key(1)}", f"k {a_key(2)}"], "line 2: a second key with this id"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_shows_nothing(
    tmp_path: Path, lines: list[str], problem: str
) -> None:
    file = a_file(tmp_path, *lines)

    with pytest.raises(KeyFileUnusable) as refused:
        KeyFile(file)

    assert refused.value.fields() == {"file": str(file), "problem": problem}
    assert "s3cret" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileUnusable, match="No such file"):
        KeyFile(tmp_path / "none")


@pytest.mark.parametrize("mode", [0o604, 0o606, 0o644, 0o620, 0o666])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyFileUnusable, match=f"its mode is {mode:04o}"):
        KeyFile(a_file(tmp_path, f"k {a_key(1)}", mode=mode))


async def test_a_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys"

    made = await asyncio.gather(*(asyncio.to_thread(KeyFile.open_or_make, file) for _ in range(8)))

    wrapped = [await each.wrap(SECRET, CONTEXT) for each in made]
    assert [await made[0].unwrap(each, CONTEXT) for each in wrapped] == [SECRET] * 8
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in await asyncio.to_thread(lambda: [*tmp_path.iterdir()])] == [
        "keys"
    ]
