"""The root logger is the whole run's: a test that sets it up gives it back."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def root_logger_as_it_was() -> Iterator[None]:
    """Put the root logger's handlers and level back at the end, and uncapture warnings.

    A handler that was added inside is closed: it may write to what a capturing fixture gave the
    test for standard error, which is closed by then, and every later line would be an error.
    """
    root = logging.getLogger()
    handlers, level, show_warning = root.handlers[:], root.level, warnings.showwarning
    try:
        yield
    finally:
        # Only what was captured inside; capturing twice changes nothing, so neither does this.
        if warnings.showwarning is not show_warning:
            logging.captureWarnings(capture=False)
        for handler in set(root.handlers).difference(handlers):
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
