"""The sidecar's application with every stage of a forwarded call timed: `benchmarks.staged:app`.

It is loaded by a worker, for `benchmarks.stages`. The figures lie in the file that `STAGES_FILE`
names, and are read from there while the worker serves.
"""

import functools
import importlib
import inspect
import mmap
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.stages import NUMBERS, STAGES, resolved

clock = time.thread_time_ns


class Timing:
    """The CPU time of each stage, without that of the stages within it.

    Reading the clock takes longer than some stages. What it takes is found out first, and left out:
    `inside` of the time of what is timed, and `outside` of what called it.
    """

    def __init__(self, cells: Any) -> None:
        self._cells = cells
        self._within: list[int] = []
        self.inside = self.outside = 0

    def calibrate(self, times: int = 20_000) -> None:
        """Find out what the timing itself takes."""
        timed = self.around(0, lambda: None)
        began = clock()

        for _ in range(times):
            timed()

        whole = (clock() - began) // times
        self.inside = self._cells[0] // times
        self.outside = whole - self.inside

        for place in range(len(self._cells)):
            self._cells[place] = 0

        self._cells[-1] = whole

    def around(self, stage: int, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time counted for a stage."""
        if inspect.isgeneratorfunction(function):
            return self._around_each(stage, function)

        cells, within = self._cells, self._within

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            within.append(0)
            began = clock()

            try:
                return function(*args, **kwargs)
            finally:
                used = clock() - began - self.inside
                cells[2 * stage] += used - within.pop()
                cells[2 * stage + 1] += 1

                if within:
                    within[-1] += used + self.inside + self.outside

        return timed

    def _around_each(
        self, stage: int, function: Callable[..., Iterator[Any]]
    ) -> Callable[..., Iterator[Any]]:
        step = self.around(stage, next)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Iterator[Any]:
            steps, end = function(*args, **kwargs), object()

            while (piece := step(steps, end)) is not end:
                yield piece

        return timed


def install(timing: Timing) -> None:
    """Time all functions that the stages name."""
    for number, names in enumerate(STAGES.values()):
        for name in names:
            owner, attribute, function = resolved(name)
            setattr(owner, attribute, timing.around(number, function))


def _application() -> Any:
    descriptor = os.open(os.environ["STAGES_FILE"], os.O_RDWR)
    cells = memoryview(mmap.mmap(descriptor, 8 * NUMBERS)).cast("q")
    timing = Timing(cells)
    timing.calibrate()
    install(timing)
    return importlib.import_module("chatproxy.wsgi").app


def __getattr__(name: str) -> Any:
    # Not at the import, so that tests may have `Timing` alone.
    if name == "app":
        return _application()

    raise AttributeError(name)
