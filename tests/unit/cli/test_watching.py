"""A broadcast that was started goes on; who stops watching it is told so, with its id."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.clients.broadcasts import Broadcasts
from cli.clients.graphql import GraphQLClient
from cli.errors import Unwatched
from cli.launcher.ports import choose_ports
from cli.main import main
from cli.watching import going_on, watch

STATES = ("planned", "dispatched", "accepted", "delivered", "read", "skipped", "failed")


def _progress(state: str, **counts: int) -> dict[str, Any]:
    every = dict.fromkeys(STATES, 0) | counts
    every["total"] = sum(every.values())
    return {"broadcast": {"state": state, "failureReason": None, "progress": {"counts": every}}}


def _deliveries(*pairs: tuple[str, str], after: str | None = None) -> dict[str, Any]:
    nodes = [{"state": state, "reason": reason} for state, reason in pairs]
    page = {"hasNextPage": after is not None, "endCursor": after}
    return {"broadcast": {"deliveries": {"nodes": nodes, "pageInfo": page}}}


RUNNING = _progress("RUNNING", dispatched=3)
DOWN: dict[str, Any] = {"down": True}
ANSWERS: dict[str, dict[str, Any]] = {
    "Blueprint": {"blueprint": {"levels": [{"key": "state"}], "groupKinds": [], "categories": []}},
    "Unit": {"unitByCode": {"id": "U"}},
    "Create": {
        "createBroadcast": {"__typename": "CreateBroadcastSuccess", "broadcast": {"id": "B1"}}
    },
    "Start": {"startBroadcast": {"__typename": "StartBroadcastSuccess"}},
}


class Gateway(HTTPServer):
    """Answers each operation by its name; what is asked of progress from a script, whose last
    line is said for ever. `DOWN` closes the connection without an answer.
    """

    def __init__(self, *script: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = list(script)
        self.loses: list[str] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/graphql"

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        name = query.split()[1].partition("(")[0]
        self.asked.append((name, variables))
        if name in self.loses:
            self.loses.remove(name)
            return DOWN
        if name in ANSWERS:
            return {"data": ANSWERS[name]}
        line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return line if "errors" in line or line is DOWN else {"data": line}


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.server.answer(asked["query"], asked["variables"])
        if answer is DOWN:
            return
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass


@contextmanager
def _gateway(*script: dict[str, Any]) -> Iterator[Gateway]:
    with Gateway(*script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


def _broadcast(url: str, *more: str) -> list[str]:
    message = ["broadcast", "--token", "t", "--url", url, "--unit", "state:RJ", "--title", "T"]
    return [*message, "--text-en", "x", "--watch", *more]


def _never(description: str, completed: int, total: int | None) -> None:
    """A bar that nobody looks at."""


def test_a_platform_that_restarts_is_waited_for() -> None:
    unavailable = {
        "errors": [{"message": "m", "extensions": {"code": "SERVICE_UNAVAILABLE"}}],
        "data": None,
    }
    completed = _progress("COMPLETED", delivered=3)

    with (
        _gateway(RUNNING, DOWN, unavailable, completed) as gateway,
        GraphQLClient(gateway.url, "t") as client,
    ):
        progress, outcomes = watch(Broadcasts(client), "B1", _never)

    assert progress.state == "COMPLETED"
    assert outcomes is not None
    assert (outcomes.failed, outcomes.complete) == ({}, True)


def test_one_that_stays_away_ends_watching_and_says_that_the_broadcast_goes_on() -> None:
    url = f"http://127.0.0.1:{choose_ports(0, {})['gateway']}/graphql"

    with GraphQLClient(url, "t") as client, pytest.raises(Unwatched) as unwatched, going_on("B1"):
        watch(Broadcasts(client), "B1", _never, patience_seconds=0.4)

    assert unwatched.value.exit_code == 3
    assert unwatched.value.message.startswith("started as B1; it goes on without you: no answer")
    assert unwatched.value.fields == {"broadcastId": "B1"}


def test_ctrl_c_says_that_the_broadcast_goes_on_with_its_id_and_exit_code_3(
    tmp_path: Path,
) -> None:
    with _gateway(RUNNING) as gateway:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *_broadcast(gateway.url, "--data", str(tmp_path))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            rest, told = process.stdout.read(), process.stderr.read()

    assert first == "started: B1\n"
    assert process.returncode == 3
    assert rest == ""
    assert told.startswith("chaupal: started as B1; it goes on without you")


def test_the_summary_counts_the_reasons_of_failures() -> None:
    completed = _progress("COMPLETED", delivered=4, failed=3, skipped=1)
    pages = (
        _deliveries(("FAILED", "BLOCKED"), ("FAILED", "GONE"), after="c"),
        _deliveries(("FAILED", "GONE"), ("SKIPPED", "RETIRED")),
    )

    with _gateway(completed, *pages) as gateway:
        for_people = CliRunner().invoke(main, _broadcast(gateway.url))
    with _gateway(completed, *pages) as gateway:
        for_programs = CliRunner().invoke(main, _broadcast(gateway.url, "-o", "json"))

    assert for_people.exit_code == for_programs.exit_code == 0
    assert for_people.stdout.splitlines() == [
        "started: B1",
        "completed: B1",
        "8 deliveries: 4 delivered, 1 skipped, 3 failed",
        "failed: 2 GONE, 1 BLOCKED",
        "skipped: 1 RETIRED",
    ]
    assert json.loads(for_programs.stdout)["reasons"] == {
        "failed": {"GONE": 2, "BLOCKED": 1},
        "skipped": {"RETIRED": 1},
    }


def test_the_exit_code_of_a_broadcast_that_goes_on_is_in_the_help() -> None:
    codes = CliRunner().invoke(main, ["broadcast", "--help"]).stdout.partition("Exit codes:")[2]

    assert "3" in [line.split()[0] for line in codes.splitlines() if line.strip()]


def test_a_start_whose_answer_is_lost_is_tried_again_as_the_same_start() -> None:
    with _gateway(_progress("COMPLETED", delivered=1)) as gateway:
        gateway.loses = ["Start"]

        result = CliRunner().invoke(main, _broadcast(gateway.url))

    starts = [variables for name, variables in gateway.asked if name == "Start"]
    assert result.exit_code == 0
    assert len(starts) == 2
    assert starts[0] == starts[1]
