"""`chaupal broadcast`: one message to one audience."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.access import access_options, resolve
from cli.command import Verb, data_option, output_option
from cli.errors import Refusal, Unreachable, no_blueprint
from cli.output import console, counted, print_json, progress_bar

if TYPE_CHECKING:
    from cli.clients.broadcasts import BroadcastProgress, Broadcasts, Outcomes, Preview

_EXAMPLES = (
    "chaupal broadcast --tenant neem --unit division:JPR --title 'Meeting' \\",
    "    --text-hi 'रविवार को बैठक है' --text-en 'We meet on Sunday' --watch",
    "chaupal broadcast --tenant peepal --unit state:RJ --category farmers --title T \\",
    "    --text-hi 'नमस्ते' --dry-run -o json",
)
_EXIT_CODES = {
    0: "started; with --watch: completed; with --dry-run: previewed",
    3: "started and going on, but not watched to its end: Ctrl-C, or the platform did not answer"
    " for 30 s; do not send it again before you looked",
}


@dataclass(frozen=True, slots=True)
class _Message:
    title: str
    texts: dict[str, str]
    audience: dict[str, object]


def _units(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> list[tuple[str, str]]:
    pairs = [tuple(value.split(":", 1)) for value in values]
    for pair, value in zip(pairs, values, strict=True):
        if len(pair) != 2 or not all(pair):
            raise click.BadParameter(f"{value}: write LEVEL:CODE, such as division:JPR")
    return [(level, code) for level, code in pairs]


@click.command("broadcast", cls=Verb, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.option("--title", required=True, help="What you call it.")
@click.option("--text-hi", help="The message in Hindi.")
@click.option("--text-en", help="The message in English.")
@click.option(
    "--unit",
    "units",
    multiple=True,
    required=True,
    metavar="LEVEL:CODE",
    callback=_units,
    help="To the groups of this unit and all below it; repeatable.",
)
@click.option("--kind", "kinds", multiple=True, help="Only groups of this kind; repeatable.")
@click.option("--category", "categories", multiple=True, help="Only this category; repeatable.")
@click.option("--dry-run", is_flag=True, help="Say whom it would go to, and send nothing.")
@click.option("--watch", is_flag=True, help="Stay until every delivery is settled.")
@access_options()
@click.option("--url", help="The gateway's GraphQL address.  [default: the data folder's]")
@data_option()
@output_option()
def broadcast(
    *,
    title: str,
    text_hi: str | None,
    text_en: str | None,
    units: list[tuple[str, str]],
    kinds: tuple[str, ...],
    categories: tuple[str, ...],
    dry_run: bool,
    watch: bool,
    tenant: str | None,
    token: str | None,
    url: str | None,
    data: Path,
    output: str,
) -> None:
    """Send one message to one audience, through the gateway as a console does.

    The audience is every group under the units, of the kinds and categories if any are named.
    Retired and planned groups, groups without an admin, and category groups without an
    office-bearer of the state executive get nothing.
    """
    texts = {
        language: text for language, text in (("hi", text_hi), ("en", text_en)) if text is not None
    }
    if not texts:
        raise click.UsageError("give the message with --text-hi, --text-en or both")
    access = resolve(data, tenant, token, "composer")
    # http.client and json are quick, but --help needs neither.
    from cli.clients.broadcasts import Broadcasts  # noqa: PLC0415
    from cli.clients.graphql import GraphQLClient  # noqa: PLC0415
    from cli.clients.organisation import Organisation  # noqa: PLC0415

    address = url or f"http://{access.address('gateway', None)}/graphql"
    with GraphQLClient(address, access.token) as client:
        broadcasts, organisation = Broadcasts(client), Organisation(client)
        words = organisation.words()
        if words is None:
            raise no_blueprint(tenant)
        words.check(kinds, categories)
        term: dict[str, object] = {
            "unitIds": [organisation.unit_id(level, code, words) for level, code in units]
        }
        if kinds:
            term["kinds"] = list(kinds)
        if categories:
            term["categories"] = list(categories)
        message = _Message(title, texts, {"include": [term]})
        if dry_run:
            _tell_preview(broadcasts.preview(message.audience), output)
        else:
            _send(broadcasts, message, watch=watch, output=output)


def _tell_preview(preview: "Preview", output: str) -> None:
    if output == "json":
        print_json(
            {
                "groupCount": preview.group_count,
                "memberCount": preview.member_count,
                "excluded": dict(preview.excluded),
            }
        )
        return
    screen = console()
    screen.print(
        f"{counted(preview.group_count, 'group')} with {counted(preview.member_count, 'member')}"
    )
    for reason, count in preview.excluded.items():
        screen.print(f"left out: {count} {reason.lower()}")


def _send(broadcasts: "Broadcasts", message: _Message, *, watch: bool, output: str) -> None:
    from cli.watching import going_on, maybe_started, patiently  # noqa: PLC0415
    from cli.watching import watch as stay  # noqa: PLC0415
    from kit.ids import SystemIds  # noqa: PLC0415

    ids = SystemIds()
    broadcast_id = broadcasts.create(ids.new(), message.title, message.texts, message.audience)
    # One id for every try: a start whose answer was lost is not done twice.
    start_id = ids.new()
    try:
        patiently(lambda: broadcasts.start(start_id, broadcast_id))
    except Unreachable as error:
        raise maybe_started(broadcast_id, error.message) from error
    if not watch:
        _tell_started(broadcast_id, output)
        return
    with going_on(broadcast_id):
        if output == "text":
            _tell_started(broadcast_id, output)
        with progress_bar(output) as show:
            progress, outcomes = stay(broadcasts, broadcast_id, show)
    _tell_end(broadcast_id, progress, outcomes, output)
    if progress.state == "FAILED":
        raise Refusal(
            progress.failure_reason or "BROADCAST_FAILED",
            f"the broadcast could not be planned: {progress.failure_reason or 'no reason told'}",
            broadcastId=broadcast_id,
        )


def _tell_started(broadcast_id: str, output: str) -> None:
    if output == "json":
        print_json({"broadcastId": broadcast_id, "state": "PLANNING"})
    else:
        # At once, also into a pipe: who stops watching needs it.
        sys.stdout.write(f"started: {broadcast_id}\n")
        sys.stdout.flush()


def _tell_end(
    broadcast_id: str, progress: "BroadcastProgress", outcomes: "Outcomes | None", output: str
) -> None:
    if output == "json":
        told: dict[str, object] = {
            "broadcastId": broadcast_id,
            "state": progress.state,
            "counts": dict(progress.counts),
        }
        if outcomes is not None:
            by_state = {"failed": dict(outcomes.failed), "skipped": dict(outcomes.skipped)}
            told |= {"reasons": by_state, "reasonsComplete": outcomes.complete}
        print_json(told)
        return
    screen = console()
    states = {state: count for state, count in progress.counts.items() if state != "total"}
    screen.print(f"{progress.state.lower()}: {broadcast_id}")
    deliveries = counted(progress.counts["total"], "delivery", "deliveries")
    screen.print(f"{deliveries}: {_listed(states) or 'none'}")
    if outcomes is None:
        screen.print("why some failed could not be asked; the consoles show it")
        return
    some = "" if outcomes.complete else " (of the first that were asked)"
    for state, reasons in (("failed", outcomes.failed), ("skipped", outcomes.skipped)):
        if reasons:
            screen.print(f"{state}{some}: {_listed(reasons)}")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
