"""What a worker remembers of many, and no more than so much: who was not heard of for longest is forgotten first."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """At most so many values, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[K, V] = {}

    def __contains__(self, key: K) -> bool:
        """Whether it is remembered."""
        return key in self._kept

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._kept)

    def recall(self, key: K, make: Callable[[], V]) -> V:
        """What is remembered, or made now."""
        value = self._kept.pop(key) if key in self._kept else make()
        self.keep(key, value)
        return value

    def get(self, key: K) -> V | None:
        """What is remembered, if anything."""
        return self._kept.get(key)

    def keep(self, key: K, value: V) -> None:
        """Remember something."""
        self._kept.pop(key, None)
        self._kept[key] = value
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    def forget(self, key: K) -> None:
        """Remember it no more."""
        self._kept.pop(key, None)
