"""Skips a test whose server is missing, and forbids that in CI, where every server must be."""

import contextlib
import os
from collections.abc import Generator, Iterator, Mapping

import pytest

from tests.servers.process import ServerMissing


def in_ci(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this run is the one that must skip nothing: `CI` is `true`."""
    return environ.get("CI", "").lower() == "true"


@contextlib.contextmanager
def skip_where_missing() -> Iterator[None]:
    """Skip with the reason when the block finds that this machine lacks a server."""
    try:
        yield
    except ServerMissing as error:
        pytest.skip(str(error))


class SkipsFail:
    """A pytest plugin that turns each skip, of a test or of a whole file, into a failure.

    An expected failure (xfail) stays what it is.
    """

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Outermost, so that the mark of an expected failure is there to be seen."""
        report = yield
        if report.skipped and not hasattr(report, "wasxfail"):
            _fail(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A file that skips itself while it is imported never becomes tests."""
        report = yield
        if report.skipped:
            _fail(report)
        return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    skip = report.longrepr
    reason = skip[2] if isinstance(skip, tuple) else str(skip)
    report.outcome = "failed"
    report.longrepr = f"skipped, which CI=true forbids: {reason}"
