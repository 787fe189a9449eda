"""The consoles' files: which are served, how long they are kept, and what their pages may do."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from gateway.config import Settings

from .fakes.servers import client, gateway, settings
from .fakes.world import World


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    assets = folder / "party" / "assets"
    assets.mkdir(parents=True)
    (folder / "party" / "index.html").write_text("<!doctype html><title>Party</title>")
    (folder / "party" / "favicon.svg").write_text("<svg/>")
    (assets / "index-abc123.js").write_text("console.log('party')\n" * 200)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "party" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
async def http(tmp_path: Path, built: Path, world: World) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        gateway(settings(tmp_path, consoles_dir=built)) as app,
        client(app, world, None) as asking,
    ):
        yield asking.http


async def test_the_page_is_asked_for_again_and_may_run_nothing_foreign(
    http: httpx2.AsyncClient,
) -> None:
    response = await http.get("/party/")
    assert response.status_code == 200
    assert "Party" in response.text
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = dict(
        part.strip().split(" ", 1)
        for part in response.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://gateway.test wss://gateway.test"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in response.headers["content-security-policy"]
    again = await http.get("/party/", headers={"if-none-match": response.headers["etag"]})
    assert again.status_code == 304


async def test_what_has_a_hash_in_its_name_is_kept_for_ever_and_sent_small(
    http: httpx2.AsyncClient,
) -> None:
    response = await http.get("/party/assets/index-abc123.js")
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["content-encoding"] == "gzip"
    assert len(response.text) > 4000
    other = await http.get("/party/favicon.svg")
    assert other.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/party/broadcasts/7", "/party/tree"])
async def test_a_path_of_the_application_is_its_page(http: httpx2.AsyncClient, path: str) -> None:
    response = await http.get(path)
    assert response.status_code == 200
    assert "Party" in response.text
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/party/assets/index-old.js",
        "/party/assets/missing",
        "/party/nothing.png",
        "/party/link.txt",
        "/party/%2e%2e/%2e%2e/secret.txt",
        "/party/..%2f..%2fsecret.txt",
        "/category/",
        "/other/",
    ],
)
async def test_what_is_not_there_is_404(http: httpx2.AsyncClient, path: str) -> None:
    response = await http.get(path)
    assert response.status_code == 404
    assert "secret" not in response.text


async def test_the_way_in(http: httpx2.AsyncClient) -> None:
    response = await http.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/party/")
    response = await http.get("/party")
    assert (response.status_code, response.headers["location"]) == (
        307,
        "http://gateway.test/party/",
    )


async def test_files_are_not_written_to(http: httpx2.AsyncClient) -> None:
    assert (await http.post("/party/")).status_code == 405


async def test_a_host_that_is_none_is_not_put_into_the_policy(http: httpx2.AsyncClient) -> None:
    response = await http.get("/party/", headers={"host": "a;script-src *"})
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "*" not in response.headers["content-security-policy"]


async def test_without_consoles_the_root_says_what_is_here(
    configured: Settings, world: World
) -> None:
    async with gateway(configured) as app, client(app, world, None) as asking:
        response = await asking.http.get("/")
    assert response.status_code == 404
    assert "/graphql" in response.text
