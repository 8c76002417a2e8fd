"""The end of a command, in order: when it is told to, when its terminal hangs up, when its parent has gone."""

import asyncio
import os
import signal
from collections.abc import Callable

LOOK_SECONDS = 0.25  # between two looks for the parent
STDIN = 0


class Stop:
    """Ends a command once; asking again changes nothing."""

    def __init__(self, task: asyncio.Task[int]) -> None:
        self._task = task
        self._loop = asyncio.get_running_loop()
        self.asked = False

    def __call__(self) -> None:
        """End it."""
        if not self.asked:
            self.asked = True
            self._task.cancel()

    def at_signals(self) -> None:
        """End it at Ctrl-C, SIGTERM and SIGHUP."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and _ignores_hang_up():
                continue
            self._loop.add_signal_handler(number, self)

    def at_hang_up(self, otherwise: Callable[[], None]) -> None:
        """End it at SIGHUP only where our terminal has gone, so that the kernel sent it; `otherwise` somebody did."""
        terminal = os.isatty(STDIN) and not _ignores_hang_up()

        def told() -> None:
            if terminal and not os.isatty(STDIN):
                self()
            else:
                otherwise()

        self._loop.add_signal_handler(signal.SIGHUP, told)

    def after(self, parent: int) -> None:
        """End it when this parent process has ended, whose child we are then no more."""
        if os.getppid() == parent:
            self._loop.call_later(LOOK_SECONDS, self.after, parent)
        else:
            self()


def _ignores_hang_up() -> bool:
    """Whether we were started to outlive the terminal, by nohup."""
    return signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
