"""The servers of the tests themselves: durable, whole, and gone when their run is."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest
import redis
from neo4j.exceptions import ConstraintError, DriverError, ServiceUnavailable

from tests.servers.folders import own_folder
from tests.servers.neo4j.distribution import distribution, jdk_of, version_of
from tests.servers.neo4j.jdk import Jdk, find_jdk
from tests.servers.neo4j.server import QUICK_START, Neo4jServer
from tests.servers.ports import free_ports
from tests.servers.process import ServerFailed, ServerMissing
from tests.servers.skips import skip_where_missing
from tests.servers.valkey.binary import valkey_binary
from tests.servers.valkey.cluster import ValkeyCluster
from tests.servers.valkey.server import ValkeyServer
from tests.timing import wait_until_sync

ROOT = Path(__file__).parents[2]
VALKEY_COMMAND = (sys.executable, "-m", "tests.servers.valkey")
SUM_OF_TWO = """#!lua name={library}
redis.register_function('{library}_sum', function(keys)
  return redis.call('GET', keys[1]) + redis.call('GET', keys[2])
end)"""


# --- Valkey ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("maxmemory-policy", "noeviction"),
        ("save", ""),
    ],
)
def test_valkey_starts_durable(valkey: ValkeyServer, setting: str, value: str) -> None:
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        assert client.config_get(setting) == {setting: value}


def test_valkey_keeps_what_it_acknowledged_before_it_was_killed(own_valkey: ValkeyServer) -> None:
    acknowledged: list[int] = []

    def write() -> None:
        with redis.Redis.from_url(own_valkey.url, retry=None) as client:
            for number in itertools.count():
                try:
                    client.rpush("numbers", number)
                except redis.ConnectionError:
                    return
                acknowledged.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    wait_until_sync(lambda: len(acknowledged) >= 100, 30, "a hundred acknowledged writes")
    own_valkey.kill()
    writer.join()
    first_pid, url = own_valkey.pid, own_valkey.url
    own_valkey.restart()

    with redis.Redis.from_url(url, decode_responses=True) as client:
        stored = [int(number) for number in client.lrange("numbers", 0, -1)]
        assert client.info("server")["process_id"] == own_valkey.pid != first_pid
    assert stored[: len(acknowledged)] == acknowledged
    # One more may have been written and not yet answered.
    assert len(stored) - len(acknowledged) in {0, 1}


def test_valkey_can_listen_on_a_loopback_port(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with ValkeyServer(tmp_path, port=port) as server:
        assert server.url == f"redis://127.0.0.1:{port}"
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="maxmemory-policy"):
        ValkeyServer(tmp_path, options={"maxmemory-policy": "sometimes"})


def test_a_server_ends_with_the_run_that_was_killed(tmp_path: Path) -> None:
    with _valkey_command("--data", str(tmp_path)) as (run, url):
        with redis.Redis.from_url(url) as client:
            pid = client.info("server")["process_id"]
        run.kill()
    wait_until_sync(lambda: not _runs(pid), 10, "the server's end")


def test_the_command_keeps_its_data_from_a_run_to_the_next(tmp_path: Path) -> None:
    for expected in (1, 2):
        with _valkey_command("--data", str(tmp_path)) as (run, url):
            with redis.Redis.from_url(url) as client:
                assert client.incr("runs") == expected
            run.terminate()
            assert run.wait(30) == 0


def test_the_command_removes_what_nobody_named() -> None:
    with _valkey_command() as (run, url):
        folder = Path(url.removeprefix("unix://")).parent
        assert folder.is_dir()
        run.terminate()
        assert run.wait(30) == 0
    assert not folder.exists()


def test_two_servers_on_one_data_folder_are_refused(tmp_path: Path) -> None:
    with _valkey_command("--data", str(tmp_path)) as (first, url):
        second = subprocess.run(
            [*VALKEY_COMMAND, "--data", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        with redis.Redis.from_url(url) as client:
            assert client.ping() is True
        first.terminate()
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"another server runs on the data in {tmp_path}\n"


@contextlib.contextmanager
def _valkey_command(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run the command and yield it with the address that it prints when it is ready."""
    command = [*VALKEY_COMMAND, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            yield run, run.stdout.readline().strip()
        finally:
            run.kill()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_named_binary_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerMissing, match=r"VALKEY_SERVER=.* is not a program"):
        valkey_binary({"VALKEY_SERVER": str(tmp_path / "none")})


# --- the cluster ----------------------------------------------------------------------------------


@pytest.fixture
def cluster_client(valkey_cluster: ValkeyCluster) -> Iterator[redis.RedisCluster]:
    port = valkey_cluster.nodes[0].port
    assert port is not None
    with redis.RedisCluster(host="127.0.0.1", port=port, decode_responses=True) as client:
        yield client


def test_every_node_of_the_cluster_calls_it_whole(valkey_cluster: ValkeyCluster) -> None:
    for node in valkey_cluster.nodes:
        with redis.Redis.from_url(node.url) as client:
            info = client.execute_command("CLUSTER INFO")
        assert (info["cluster_state"], info["cluster_slots_ok"]) == ("ok", "16384")
        assert (info["cluster_known_nodes"], info["cluster_size"]) == ("3", "3")


def test_a_function_takes_several_keys_of_one_hash_tag(
    cluster_client: redis.RedisCluster, unique: str
) -> None:
    cluster_client.function_load(SUM_OF_TWO.format(library=unique))
    # Enough tags that each of the three nodes has some.
    for number in range(12):
        one, two = f"{{{unique}{number}}}:one", f"{{{unique}{number}}}:two"
        cluster_client.set(one, number)
        cluster_client.set(two, 100)
        assert cluster_client.fcall(f"{unique}_sum", 2, one, two) == 100 + number


def test_a_function_over_two_slots_is_refused(
    valkey_cluster: ValkeyCluster, cluster_client: redis.RedisCluster, unique: str
) -> None:
    cluster_client.function_load(SUM_OF_TWO.format(library=unique))
    with (
        redis.Redis.from_url(valkey_cluster.nodes[0].url) as client,
        pytest.raises(redis.ResponseError, match=r"CROSSSLOT|same slot"),
    ):
        client.fcall(f"{unique}_sum", 2, "{a}", "{b}")


def test_a_cluster_is_whole_again_after_a_node_was_killed() -> None:
    with own_folder("cluster") as folder, ValkeyCluster.start(folder) as cluster:
        victim = cluster.nodes[1]
        with redis.Redis.from_url(victim.url, decode_responses=True) as client:
            # The second node has the middle third of the slots.
            key = next(
                key
                for key in map(str, itertools.count())
                if 5461 <= client.execute_command("CLUSTER KEYSLOT", key) < 10922
            )
            client.set(key, "kept")
        victim.kill()
        wait_until_sync(lambda: b"cluster_state:fail" in cluster.nodes[0].say("CLUSTER INFO"), 30)
        victim.restart()
        cluster.wait_whole()
        with redis.Redis.from_url(victim.url, decode_responses=True) as client:
            assert client.get(key) == "kept"


# --- Neo4j ----------------------------------------------------------------------------------------


@pytest.fixture
def driver(neo4j_uri: str, neo4j_auth: tuple[str, str] | None) -> Iterator[neo4j.Driver]:
    with neo4j.GraphDatabase.driver(neo4j_uri, auth=neo4j_auth) as driver:
        yield driver


def test_neo4j_answers_with_the_chosen_version(driver: neo4j.Driver) -> None:
    kernel = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel'"
    result = driver.execute_query(f"{kernel} RETURN versions[0] AS version")
    [version] = [record["version"] for record in result.records]
    # A server that was named instead may have any version.
    assert os.environ.get("NEO4J_TEST_URI") or version == _neo4j_version()


def test_neo4j_holds_a_uniqueness_constraint(driver: neo4j.Driver, unique: str) -> None:
    driver.execute_query(f"CREATE CONSTRAINT {unique} FOR (n:{unique}) REQUIRE n.id IS UNIQUE")
    try:
        driver.execute_query(f"CREATE (:{unique} {{id: 'one'}})")
        with pytest.raises(ConstraintError):
            driver.execute_query(f"CREATE (:{unique} {{id: 'one'}})")
        result = driver.execute_query(f"MATCH (n:{unique}) RETURN collect(n.id) AS ids")
        assert result.records[0]["ids"] == ["one"]
    finally:
        driver.execute_query(f"DROP CONSTRAINT {unique}")
        driver.execute_query(f"MATCH (n:{unique}) DELETE n")


def test_neo4j_keeps_what_it_committed_before_it_was_killed() -> None:
    with skip_where_missing():
        chosen = distribution(_neo4j_version())
    with (
        own_folder("neo4j") as folder,
        Neo4jServer(chosen, folder, jvm_flags=QUICK_START) as server,
    ):
        uri = server.uri
        with neo4j.GraphDatabase.driver(uri) as driver:
            driver.execute_query("CREATE (:Kept {id: 'one'})")
        server.kill()
        with (
            neo4j.GraphDatabase.driver(uri) as driver,
            pytest.raises((ServiceUnavailable, DriverError)),
        ):
            driver.verify_connectivity()
        server.restart()
        assert server.uri == uri
        with neo4j.GraphDatabase.driver(uri) as driver:
            result = driver.execute_query("MATCH (n:Kept) RETURN collect(n.id) AS ids")
            assert result.records[0]["ids"] == ["one"]


def _neo4j_version() -> str:
    return version_of(os.environ.get("NEO4J_TEST_VERSION"))


def test_a_jdk_that_is_too_old_is_named(tmp_path: Path) -> None:
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "javac").touch()
    (home / "release").write_text('JAVA_VERSION="17.0.15"\n')
    environ = {"JAVA_HOME": str(home), "PATH": ""}

    assert find_jdk(17, environ, ()) == Jdk(home, 17)
    with pytest.raises(ServerMissing) as missing:
        find_jdk(21, environ, ())
    found = f"(found: 17 in {home})"
    cure = "install one, with javac, and set JAVA_HOME"
    assert str(missing.value) == f"no JDK 21 or newer {found}: {cure}"


def test_a_jdk_of_a_usual_place_serves_where_the_named_one_is_too_old(tmp_path: Path) -> None:
    """The oldest that is new enough, whatever JAVA_HOME says."""
    for version in (17, 25, 21):
        home = tmp_path / "jvm" / f"jdk-{version}"
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "javac").touch()
        (home / "release").write_text(f'JAVA_VERSION="{version}"\n')
    environ = {"JAVA_HOME": str(tmp_path / "jvm" / "jdk-17"), "PATH": ""}
    usual = [str(tmp_path / "jvm" / "*").removeprefix("/")]

    assert find_jdk(21, environ, usual) == Jdk(tmp_path / "jvm" / "jdk-21", 21)


def test_a_version_is_named_by_number_or_as_the_newest() -> None:
    assert version_of("5.26.1") == "5.26.1"
    assert version_of().startswith("5.26.")
    assert version_of("newest").startswith("20")


@pytest.mark.parametrize(("version", "java"), [("5.26.30", 17), ("2026.08.1", 21)])
def test_a_neo4j_without_a_jdk_says_what_it_needs(version: str, java: int) -> None:
    with pytest.raises(ServerMissing) as missing:
        jdk_of(version, {"PATH": ""}, ())
    assert str(missing.value).startswith(
        f"Neo4j {version}: no JDK {java} or newer (found: none): install one, with javac"
    )
