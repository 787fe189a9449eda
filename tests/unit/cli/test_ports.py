"""Ports: how they are chosen, and that one in use is named with its holder and the cure."""

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest

from cli.errors import Refusal
from cli.launcher import ports as ports_module
from cli.launcher.ports import DEFAULT_PORTS, check_free, choose_ports


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_the_usual_ports_are_those_of_the_documentation() -> None:
    ports = choose_ports(None, {})

    assert ports == DEFAULT_PORTS
    assert (ports["gateway"], ports["issuer"], ports["hierarchy"]) == (8000, 8001, 50051)
    assert ports["messaging-worker-metrics"] == 9469


def test_a_base_gives_a_run_and_a_named_port_wins() -> None:
    ports = choose_ports(21_000, {"gateway": 8080})

    assert ports["gateway"] == 8080
    assert sorted(ports.values()) == [8080, *range(21_001, 21_000 + len(DEFAULT_PORTS))]


def test_base_zero_gives_free_ports_that_no_outgoing_connection_takes() -> None:
    ports = choose_ports(0, {})

    assert len(set(ports.values())) == len(DEFAULT_PORTS)
    assert max(ports.values()) < 32_768
    check_free(ports)


def test_base_zero_passes_over_runs_with_a_port_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        taken = _take_quiet_port(server)
        # Four runs, the first of them with the port; they are looked at in any order.
        monkeypatch.setattr(ports_module, "_BASES", (taken - 3, taken + 61, 16))

        chosen = [choose_ports(0, {}) for _ in range(20)]

    assert not [ports for ports in chosen if taken in ports.values()]


def _take_quiet_port(server: socket.socket) -> int:
    """Listen where no outgoing connection and no platform of another test has its ports."""
    for port in range(10_003, 15_900, 16):
        with contextlib.suppress(OSError):
            server.bind(("127.0.0.1", port))
            server.listen()
            return port
    raise AssertionError("no port from 10000 to 16000 is free")


def test_a_port_cannot_be_meant_for_two() -> None:
    with pytest.raises(Refusal) as refused:
        choose_ports(None, {"gateway": 8001})

    assert refused.value.reason == "PORT_TWICE"
    assert "8001" in refused.value.message


@pytest.mark.parametrize("number", [0, 65_536])
def test_a_number_that_is_no_port_is_refused(number: int) -> None:
    with pytest.raises(Refusal) as refused:
        choose_ports(None, {"gateway": number})

    assert refused.value.reason == "PORT_INVALID"


def test_a_port_in_use_names_its_holder_and_the_option(taken_port: int) -> None:
    ports = choose_ports(0, {"groups": taken_port})

    with pytest.raises(Refusal) as refused:
        check_free(ports)

    assert refused.value.reason == "PORT_IN_USE"
    assert f"port {taken_port} (groups) is in use" in refused.value.message
    assert f" (process {os.getpid()})" in refused.value.message
    assert f"--port groups={taken_port + 100}" in refused.value.cure
    assert 'make run ARGS="--port-base 18000"' in refused.value.cure
    assert refused.value.fields == {"ports": {"groups": taken_port}}
