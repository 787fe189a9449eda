"""What one test does to the root logger, no later test finds."""

import io
import logging
import warnings
from pathlib import Path

import pytest

from kit import logs
from tests.root_logger import root_logger_as_it_was

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[2]
# The first logs to a standard error of its own, which is closed when the second logs.
TWO_TESTS = """
import logging
from kit import logs

def test_first(capsys):
    logs.set_up("DEBUG", service_name="things")

def test_second():
    logging.getLogger("things").warning("later")
"""
LOGGING_ERROR = "--- Logging error ---"


def test_handlers_level_and_warnings_come_back() -> None:
    root = logging.getLogger()
    kept = logging.NullHandler()
    with root_logger_as_it_was():
        root.handlers[:] = [kept]
        root.setLevel("ERROR")
        show_warning = warnings.showwarning

        with root_logger_as_it_was():
            logs.set_up("DEBUG", service_name="things", stream=io.StringIO())
            assert kept not in root.handlers
            assert root.level == logging.DEBUG
            assert warnings.showwarning is not show_warning

        assert root.handlers == [kept]
        assert root.level == logging.ERROR
        assert warnings.showwarning is show_warning


def test_they_come_back_after_a_failure_too() -> None:
    root = logging.getLogger()
    before = root.handlers[:]

    def fail() -> None:
        with root_logger_as_it_was():
            logs.set_up(service_name="things", stream=io.StringIO())
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()

    assert root.handlers == before


def test_what_was_captured_before_stays_captured() -> None:
    with root_logger_as_it_was():
        logging.captureWarnings(capture=True)
        captured = warnings.showwarning

        with root_logger_as_it_was():
            logs.set_up(service_name="things", stream=io.StringIO())

        assert warnings.showwarning is captured


@pytest.mark.parametrize("given_back", [False, True], ids=["kept", "given back"])
def test_a_later_test_logs_nowhere_but_to_its_own_report(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, given_back: bool
) -> None:
    """Without the fixture of all tests, the second test shows what it is there against."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    if given_back:
        pytester.makeconftest("from tests.conftest import root_logger")
    pytester.makepyfile(TWO_TESTS)

    ran = pytester.runpytest_subprocess("-rP", "-p", "no:cacheprovider", "-p", "no:valkey")

    ran.assert_outcomes(passed=2)
    assert (LOGGING_ERROR in ran.stdout.str()) is not given_back
