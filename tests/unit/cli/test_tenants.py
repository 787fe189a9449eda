"""`chaupal tenants` against a running hierarchy."""

import asyncio
import hashlib
import json
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.errors import Refusal
from cli.identity.issuer import DevelopmentIssuer
from cli.main import main
from cli.verbs.tenants.exporting import Received
from tests.hierarchy_server import ISSUER, KEY
from tests.tenants_server import Operated, operated

READY_SECONDS = 30


class Desk:
    """The command, a hierarchy that it reaches, and whoever relays its events."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, platform: Operated) -> None:
        self._folder = folder
        self._loop = loop
        self._platform = platform
        self._token = DevelopmentIssuer(KEY, ISSUER).operator_token()

    def run(self, *arguments: str, token: str = "", typed: str = "") -> Result:
        options = (
            "--target",
            f"unix:{self._folder}/grpc.sock",
            "--token",
            token or self._token,
            "--data",
            str(self._folder / "data"),
        )
        return CliRunner().invoke(main, ["tenants", *arguments, *options], input=typed)

    def json(self, *arguments: str) -> Any:
        result = self.run(*arguments, "-o", "json")
        assert result.exit_code == 0, result.stderr
        assert result.stdout.count("\n") == 1
        return json.loads(result.stdout)

    def error(self, *arguments: str, token: str = "") -> Mapping[str, Any]:
        result = self.run(*arguments, "-o", "json", token=token)
        assert result.exit_code == 1
        assert result.stdout == ""
        error: Mapping[str, Any] = json.loads(result.stderr)["error"]
        return error

    def fill(self, tenant: str) -> None:
        asyncio.run_coroutine_threadsafe(self._platform.fill(tenant), self._loop).result(60)

    @contextmanager
    def relaying(self) -> Iterator[None]:
        """What waits is relayed, as a worker does, while the block runs."""
        over = Event()

        async def relay() -> None:
            while not over.is_set():
                await self._platform.relay()
                await asyncio.sleep(0.01)

        task = asyncio.run_coroutine_threadsafe(relay(), self._loop)
        try:
            yield
        finally:
            over.set()
            task.result(60)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose hierarchy lives in a loop of another thread: the command has one of its own."""
    ready, over = Event(), asyncio.Event()
    found: list[Desk] = []

    async def serve() -> None:
        async with operated(tmp_path) as platform:
            found.append(Desk(tmp_path, asyncio.get_running_loop(), platform))
            ready.set()
            await over.wait()

    thread = Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(READY_SECONDS)
        yield found[0]
    finally:
        if found:
            found[0]._loop.call_soon_threadsafe(over.set)
        thread.join(READY_SECONDS)


def test_a_tenant_is_created_shown_and_listed(desk: Desk) -> None:
    made = desk.json("create", "mango", "--units", "50")
    desk.json("create", "ashoka")

    assert made == desk.json("show", "mango")
    assert (made["id"], made["status"], made["quotas"]["units"]) == ("mango", "active", 50)
    assert made["used"] == {"units": 0, "persons": 0, "appointments": 0}
    assert [each["id"] for each in desk.json("list")["tenants"]] == ["ashoka", "mango"]
    text = desk.run("list").stdout
    assert [line.split()[:2] for line in text.splitlines()] == [
        ["tenant", "status"],
        ["ashoka", "active"],
        ["mango", "active"],
    ]


def test_a_list_has_all_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.clients.tenants.PAGE_SIZE", 2)
    names = [f"t{number}" for number in range(5)]
    for name in names:
        desk.json("create", name)

    assert [each["id"] for each in desk.json("list")["tenants"]] == names


def test_a_tenant_is_suspended_and_resumed(desk: Desk) -> None:
    desk.json("create", "mango")

    assert desk.json("suspend", "mango")["status"] == "suspended"
    assert "status        suspended" in desk.run("show", "mango").stdout
    assert desk.run("resume", "mango").stdout.startswith("mango is active\n")


def test_a_quota_below_what_there_is_is_told(desk: Desk) -> None:
    desk.json("create", "neem")
    desk.fill("neem")

    changed = desk.run("quota", "neem", "--units", "5", "--persons", "2")

    assert changed.exit_code == 0
    assert "units         7 of 5" in changed.stdout
    assert "it has 2 units too many" in changed.stdout
    assert "persons too many" not in changed.stdout
    assert desk.run("quota", "neem").exit_code == 2
    assert desk.run("quota", "neem", "--units", "0").exit_code == 2


def test_what_cannot_be_is_refused_with_a_cure(desk: Desk) -> None:
    desk.json("create", "mango")
    tenants = DevelopmentIssuer(KEY, ISSUER).role_token("mango", "administrator")

    unknown = desk.error("show", "neem")
    again = desk.error("create", "mango")
    wrong = desk.error("create", "Mango!")
    forbidden = desk.error("list", token=tenants)
    working = desk.error("delete", "mango", "--yes", "mango")

    assert unknown["reason"] == "TENANT_NOT_FOUND"
    assert "chaupal tenants list" in unknown["cure"]
    assert again["reason"] == "TENANT_EXISTS"
    assert wrong["reason"] == "BAD_TENANT"
    assert forbidden["reason"] == "CAPABILITY_MISSING"
    assert "chaupal token --role operator" in forbidden["cure"]
    assert working["reason"] == "TENANT_NOT_SUSPENDED"
    assert "chaupal tenants suspend" in working["cure"]


class TestExporting:
    def test_a_file_has_all_of_a_tenant_for_its_owner_alone(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        desk.json("create", "neem")
        desk.fill("neem")
        file = tmp_path / "neem.jsonl"

        told = desk.json("export", "neem", str(file))

        lines = file.read_bytes().splitlines(keepends=True)
        body = b"".join(lines[:-1])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert told["byteCount"] == file.stat().st_size
        assert told["sha256"] == hashlib.sha256(body).hexdigest()
        assert (told["counts"]["unit"], told["counts"]["person"]) == (7, 2)
        assert json.loads(lines[0])["tenant"] == "neem"
        assert len(lines) == 2 + sum(told["counts"].values())
        assert f"neem: {len(lines)} lines in" in desk.run("export", "neem", str(file)).stdout

    def test_a_refusal_leaves_what_was_there(self, desk: Desk, tmp_path: Path) -> None:
        file = tmp_path / "there.jsonl"
        file.write_text("precious")

        assert desk.error("export", "neem", str(file))["reason"] == "TENANT_NOT_FOUND"

        assert file.read_text() == "precious"
        assert sorted(tmp_path.glob(".*.new")) == []

    def test_a_place_that_cannot_be_written_is_named(self, desk: Desk, tmp_path: Path) -> None:
        error = desk.error("export", "neem", str(tmp_path / "nowhere" / "neem.jsonl"))
        assert error["reason"] == "FILE_UNWRITABLE"

    @pytest.mark.parametrize("cut", [1, 2, 20, 400])
    def test_a_stream_that_ended_early_is_no_export(self, cut: int) -> None:
        body = b'{"type":"tenant"}\n{"type":"unit"}\n'
        digest = hashlib.sha256(body).hexdigest()
        whole = body + json.dumps({"type": "end", "sha256": digest}).encode() + b"\n"
        received = Received()
        for at in range(0, len(whole[:-cut]), 7):
            received.add(whole[:-cut][at : at + 7])

        with pytest.raises(Refusal) as refused:
            received.end()

        assert refused.value.reason == "EXPORT_BROKEN"

    @pytest.mark.parametrize("size", [1, 7, 18, 1_000])
    def test_parts_of_any_size_make_the_same(self, size: int) -> None:
        body = b'{"type":"tenant"}\n{"type":"unit"}\n'
        digest = hashlib.sha256(body).hexdigest()
        whole = body + json.dumps({"type": "end", "sha256": digest}).encode() + b"\n"
        received = Received()
        for at in range(0, len(whole), size):
            received.add(whole[at : at + size])

        assert received.end()["sha256"] == digest
        assert (received.line_count, received.byte_count) == (3, len(whole))


class TestDeleting:
    def test_a_suspended_tenant_is_removed_with_a_proof(self, desk: Desk) -> None:
        desk.json("create", "neem")
        desk.fill("neem")
        desk.json("suspend", "neem")

        with desk.relaying():
            told = desk.json("delete", "neem", "--yes", "neem")

        proof = told["proof"]
        lines = f"neem\n{proof['deletedAt']}\n0\n"
        assert told["removedCount"] > 20
        assert (proof["tenantId"], proof["remainingCount"]) == ("neem", 0)
        assert proof["digest"] == hashlib.sha256(lines.encode()).hexdigest()
        assert desk.json("show", "neem")["status"] == "deleted"
        again = desk.run("delete", "neem", "--yes", "neem")
        assert again.exit_code == 0
        assert "left    0" in again.stdout

    def test_the_name_is_typed_by_who_is_asked(self, desk: Desk) -> None:
        desk.json("create", "neem")
        desk.fill("neem")
        desk.json("suspend", "neem")

        slipped = desk.run("delete", "neem", typed="neme\n")
        silent = desk.run("delete", "neem", typed="")
        assert slipped.exit_code == silent.exit_code == 1
        assert "neem is suspended and has 7 units, 2 persons, 0 appointments." in slipped.stderr
        assert "nothing was removed" in slipped.stderr
        assert desk.json("show", "neem")["status"] == "suspended"

        with desk.relaying():
            done = desk.run("delete", "neem", typed="neem\n")
        assert done.exit_code == 0
        assert done.stdout.startswith("deleted neem: ")

    def test_a_slip_removes_nothing(self, desk: Desk) -> None:
        desk.json("create", "neem")
        desk.json("suspend", "neem")

        assert desk.error("delete", "neem", "--yes", "peepal")["reason"] == "NOT_CONFIRMED"
        assert desk.run("delete", "neem", "-o", "json").exit_code == 2
        assert desk.json("show", "neem")["status"] == "suspended"


def test_keys_are_rotated_and_rewrapped(desk: Desk) -> None:
    desk.json("create", "neem")
    desk.fill("neem")

    assert desk.json("rotate-keys", "neem") == {
        "tenant": "neem", "carriedCount": 2, "done": True,
    }  # fmt: skip
    rewrapped = desk.run("rotate-keys", "neem", "--rewrap")
    assert rewrapped.exit_code == 0
    assert rewrapped.stdout == "neem: its secrets are under the platform's current key\n"


def test_without_a_platform_the_cure_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["tenants", "list", "--data", str(tmp_path / "data")])

    assert result.exit_code == 1
    assert "chaupal up" in result.stderr
