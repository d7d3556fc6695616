"""The keys of one endpoint in turn: each within its rate, none while it rests.

Pure but for reading the keys, which are looked up at each use and never kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from omni.kernel.errors import OmniError
from omni.models.client import EndpointError

REFUSED_REST = 300.0
"""Seconds in which a key that was refused is not used: a person has to mend it."""
LIMITED_REST = 5.0
"""Where a server does not say when to come back; doubled each time in a row."""
LONGEST_REST = 900.0
MINUTE = 60.0


@dataclass(eq=False)
class Key:
    """One key by name, or the want of one where none is needed."""

    name: str
    why: str = ""
    """Why it rests."""
    _rests_until: float = 0.0
    _limits: int = 0
    """In a row."""
    _used: deque[float] = field(default_factory=deque)

    def ready_in(self, now: float, per_minute: int | None) -> float:
        while self._used and self._used[0] <= now - MINUTE:
            self._used.popleft()
        full = per_minute is not None and len(self._used) >= per_minute
        return max(0.0, self._rests_until - now, self._used[0] + MINUTE - now if full else 0.0)

    def use(self, now: float) -> None:
        self._used.append(now)

    def last_used(self) -> float:
        return self._used[-1] if self._used else 0.0

    def rest(self, now: float, kind: str, retry_after: float | None) -> None:
        """After a failure of this kind (`omni.models.client.Kind`): what is no fault of the key changes nothing."""
        if kind == "limited":
            self._limits += 1
            rest = retry_after if retry_after is not None else LIMITED_REST * 2 ** min(self._limits - 1, 16)
            self._rests_until, self.why = now + min(rest, LONGEST_REST), "at its rate limit"
        if kind == "key":
            self._rests_until, self.why = now + REFUSED_REST, "its key is refused, or isn't there"

    def worked(self) -> None:
        self._limits, self.why = 0, ""


class Keyring:
    def __init__(self, names: tuple[str, ...], per_minute: int | None, read: Callable[[str], SecretStr | None]) -> None:
        self._keys = [Key(name) for name in names or ("",)]
        self._per_minute = per_minute
        self._read = read

    def ready_in(self, now: float) -> float:
        """Seconds until a key may be used."""
        return min(key.ready_in(now, self._per_minute) for key in self._keys)

    @property
    def why(self) -> str:
        return next((key.why for key in self._keys if key.why), "at its rate limit")

    def take(self, now: float) -> Key:
        """The key that was used longest ago, used now. Only when `ready_in` is 0."""
        ready = [key for key in self._keys if not key.ready_in(now, self._per_minute)]
        chosen = min(ready, key=Key.last_used)
        chosen.use(now)
        return chosen

    def secret(self, key: Key) -> SecretStr | None:
        """Its value; None where no key is needed. Raises EndpointError for one that isn't there or can't be read."""
        if not key.name:
            return None
        try:
            value = self._read(key.name)
        except OmniError as error:
            raise EndpointError("key", f"{error.kind.title}: {error.why}") from error
        if value is None:
            raise EndpointError("key", f"there is no key {key.name}")
        return value
