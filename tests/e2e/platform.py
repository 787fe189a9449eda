"""A handle of the whole platform: the real processes, started by the command people type."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
from websockets.asyncio.client import connect

ROOT = Path(__file__).parents[2]
_READY_SECONDS = 90.0
_STOP_SECONDS = 40.0


class Platform:
    """What `chaupal up -o json` said, and clients of it."""

    def __init__(self, ready: Mapping[str, Any], folder: Path) -> None:
        self.ready = ready
        self.folder = folder
        self.http = httpx2.Client(timeout=20)
        self.graphql_url = str(ready["urls"]["graphql"])

    def token(self, tenant: str, role: str) -> str:
        return str(self.ready["tokens"][tenant][role])

    def graphql(
        self, document: str, variables: Mapping[str, Any] | None = None, *, token: str
    ) -> Any:
        """The whole answer: `data` and `errors`."""
        answer = self.http.post(
            self.graphql_url,
            json={"query": document, "variables": dict(variables or {})},
            headers={"authorization": f"Bearer {token}"},
        )
        return answer.json()

    def data(self, document: str, variables: Mapping[str, Any] | None = None, *, token: str) -> Any:
        """The data of an answer that must have no errors."""
        answer = self.graphql(document, variables, token=token)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def subscribe(
        self, document: str, variables: Mapping[str, Any], *, token: str
    ) -> AsyncIterator[Any]:
        """The payloads of one subscription over graphql-transport-ws until it completes."""
        url = self.ready["urls"]["subscriptions"]
        async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            authorization = {"authorization": f"Bearer {token}"}
            await socket.send(json.dumps({"type": "connection_init", "payload": authorization}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": document, "variables": dict(variables)}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "ping":
                    await socket.send('{"type": "pong"}')
                elif message["type"] == "next":
                    yield message["payload"]
                elif message["type"] == "error":
                    yield {"errors": message["payload"]}
                    return
                elif message["type"] == "complete":
                    return

    @property
    def pids(self) -> Mapping[str, int]:
        """The processes by name, as they were when the platform became ready."""
        return dict(self.ready["processes"])

    def chaupal(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs a verb of the command line against this platform."""
        return chaupal(*arguments, "--data", str(self.folder), check=check)


def chaupal(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Runs the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        check=check,
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextlib.contextmanager
def running(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[Platform]:
    """A platform on free ports; stopped, and nothing left behind, at the end."""
    command = [sys.executable, "-m", "cli", "up", "--data", str(folder), "--port-base", "0"]
    ours = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("NEO4J_") and name != "REDIS_URL"
    }
    process = subprocess.Popen(
        [*command, "-o", "json", *arguments],
        cwd=ROOT,
        env=ours | dict(environ or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    reader = threading.Thread(target=_drain, args=(process, said), daemon=True)
    reader.start()
    overdue = threading.Timer(_READY_SECONDS, process.kill)
    overdue.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        overdue.cancel()
        assert line, "the platform did not become ready:\n" + "".join(said)
        platform = Platform(json.loads(line), folder)
        yield platform
        platform.http.close()
    finally:
        overdue.cancel()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_STOP_SECONDS)
        reader.join(timeout=5)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _drain(process: "subprocess.Popen[str]", said: list[str]) -> None:
    assert process.stderr is not None
    with contextlib.suppress(ValueError):
        said.extend(process.stderr)


def codes(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """The codes of units or groups."""
    return [str(node["code"]) for node in nodes]
