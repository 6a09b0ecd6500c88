"""The one owner of tasks that outlive the call that started them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

_log = logging.getLogger(__name__)


class BackgroundTasks:
    """Keeps tasks alive until they end, reports those that fail, and cancels the rest."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], str] = {}

    def start(self, name: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run `work` on its own; a failure is logged under `name`."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = name
        task.add_done_callback(self._ended)
        return task

    def runs(self, name: str) -> bool:
        """Say whether a task of that name is running."""
        # one that has ended is still here until the event loop says so
        return any(name == named and not task.done() for task, named in self._tasks.items())

    @property
    def idle(self) -> bool:
        """Whether nothing is running."""
        return not self._tasks

    async def close(self) -> None:
        """Cancel what still runs and wait for its end."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            _log.error("task_failed", exc_info=failure, extra={"task": name})
