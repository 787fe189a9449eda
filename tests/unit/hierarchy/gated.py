"""Lets a test stop an import in the middle of its plan, for as long as it likes."""

import threading

from kit.ids import SeededIds


class GatedIds:
    """Ids that are given once the gate is open, so that whoever plans waits for it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.waiting = 0
        self._lock = threading.Lock()
        self._ids = SeededIds(7)

    def new(self) -> str:
        with self._lock:
            self.waiting += 1
        self.gate.wait()
        return self._ids.new()
