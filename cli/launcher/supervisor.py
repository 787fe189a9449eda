"""Keeps the processes of one platform running: starts them, restarts them, stops them in order."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from cli.errors import Refusal
from cli.launcher.child import Child, ChildSpec, log_tail, rotate_log
from cli.launcher.watchdog import Watchdog

# A process that lived this long is not in a crash loop; its next end starts the pauses anew.
_SETTLED_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
# Ends of one process before the platform was ever ready; then starting is given up.
_MAX_EARLY_ENDS = 3


class Supervisor:
    """Owns the children; each is restarted, with a growing pause, whenever it ends.

    Args:
        watchdog: Told which processes there are, at every change.
        say: Told what happens, for people.
        grace_seconds: How long each process may take to stop.
    """

    def __init__(
        self, watchdog: Watchdog, say: Callable[[str], None], grace_seconds: float
    ) -> None:
        self._watchdog = watchdog
        self._say = say
        self._grace_seconds = grace_seconds
        self._children: dict[str, Child] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ready = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self, specs: Sequence[ChildSpec]) -> None:
        """Start processes, without waiting for any to be ready."""
        for spec in specs:
            rotate_log(spec.log)
            await self._launch(spec)
            self._keepers[spec.name] = asyncio.create_task(self._keep(spec), name=spec.name)

    @property
    def pids(self) -> dict[str, int]:
        """The running processes."""
        return {name: child.pid for name, child in self._children.items() if child.running}

    async def failure(self) -> None:
        """Wait until a process turns out not to start at all.

        Raises:
            Refusal: Names it and shows the end of its log.
        """
        await asyncio.shield(self._failed)

    async def stop(self) -> None:
        """Stop everything, the highest stage first, and wait until all is gone."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        try:
            for stage in sorted({child.spec.stage for child in self._children.values()})[::-1]:
                await asyncio.gather(
                    *(
                        child.stop(self._grace_seconds)
                        for child in self._children.values()
                        if child.spec.stage == stage
                    )
                )
        finally:
            # Also when stopping was itself cut short: nothing is left behind.
            self.kill()
            if self._failed.done():
                # Asked for, so that the loop does not complain of an error that nobody saw.
                self._failed.exception()
            self._watchdog.watch(self.pids.values())

    def kill(self) -> None:
        """End everything at once."""
        for child in self._children.values():
            if child.running:
                child.kill()

    async def _launch(self, spec: ChildSpec) -> Child:
        child = await Child.start(spec)
        self._children[spec.name] = child
        self._watchdog.watch(self.pids.values())
        return child

    async def _keep(self, spec: ChildSpec) -> None:
        ends, pause = 0, _FIRST_PAUSE_SECONDS
        while True:
            child = self._children[spec.name]
            code = await child.wait()
            if child.age_seconds > _SETTLED_SECONDS:
                ends, pause = 0, _FIRST_PAUSE_SECONDS
            ends += 1
            if ends >= _MAX_EARLY_ENDS and not self.ready:
                if not self._failed.done():
                    self._failed.set_exception(_will_not_start(spec, code))
                return
            self._say(f"{spec.name} ended {_how(code)}; starting it again in {pause:g} s")
            self._say(f"  its log is {spec.log}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            await self._launch(spec)


def _how(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with code {code}"


def _will_not_start(spec: ChildSpec, code: int) -> Refusal:
    return Refusal(
        "PROCESS_FAILED",
        f"{spec.name} does not start: it ended {_how(code)}, {_MAX_EARLY_ENDS} times",
        f"The end of its log, {spec.log}:\n{log_tail(spec.log)}",
        process=spec.name,
    )
