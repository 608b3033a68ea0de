"""Which dependencies are away, since when; observers hear of the beginning and the end once each."""

from __future__ import annotations

from collections.abc import Callable

from treaty_runtime.hooks import Hooks, OutageBegan, Recovered


class Outages:
    """Remembers outages of one worker; `group` names it in the hooks, `clock` is monotonic, in seconds."""

    def __init__(self, group: str, *, clock: Callable[[], float], hooks: Hooks) -> None:
        self.away: dict[str, float] = {}
        self._group, self._clock, self._hooks = group, clock, hooks

    def began(self, dependency: str, *, error: str) -> None:
        """The dependency did not answer."""
        if dependency not in self.away:
            self.away[dependency] = self._clock()
            self._hooks(OutageBegan(group=self._group, dependency=dependency, error=error))

    def ended(self, dependency: str) -> None:
        """The dependency answered."""
        since = self.away.pop(dependency, None)
        if since is not None:
            self._hooks(Recovered(group=self._group, dependency=dependency, seconds=self._clock() - since))
