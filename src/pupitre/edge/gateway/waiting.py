"""Who waits for a sign: held long polls and wake sockets, of whatever protocol, found by their device."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from .fleet import Device

#: Called with the seconds over which those who are woken together shall spread. Must not block.
Wake: TypeAlias = Callable[[int], None]
#: So many of those woken at once may come in each second.
_COMING_A_SECOND = 400
#: Connections at which one device may wait: those that it lost, until they are found dead, and one that lives.
_MOST_OF_ONE = 16


class Waiting:
    """Those who wait at this process. A device may wait several times: an old connection lives on until it is found dead."""

    def __init__(self) -> None:
        self._waiting: dict[int, dict[object, tuple[Device, Wake]]] = {}
        self._number = 0

    def __len__(self) -> int:
        return self._number

    def join(self, device: Device, wake: Wake) -> Callable[[], None]:
        """Wait for a sign to this device; call what comes back to wait no more."""
        token = object()
        self._waiting.setdefault(device.id, {})[token] = (device, wake)
        self._number += 1

        def leave() -> None:
            held = self._waiting.get(device.id, {})
            if held.pop(token, None) is not None:
                self._number -= 1
            if not held:
                self._waiting.pop(device.id, None)

        return leave

    def is_full(self, device_id: int) -> bool:
        """Whether this device waits so often already that it cannot be for want of a sign."""
        return len(self._waiting.get(device_id, ())) >= _MOST_OF_ONE

    def is_waiting(self, device_id: int) -> bool:
        """Whether a sign would reach this device here."""
        return device_id in self._waiting

    def wake(self, device_ids: Iterable[int]) -> int:
        """Give these devices a sign; returns how many wait here."""
        return self._wake([one for one in device_ids if one in self._waiting])

    def wake_where(self, concerns: Callable[[Device], bool]) -> int:
        """Give a sign to all that this concerns."""
        return self._wake(
            [key for key, held in self._waiting.items() if any(concerns(one) for one, _wake in held.values())]
        )

    def _wake(self, chosen: list[int]) -> int:
        spread = max(1, len(chosen) // _COMING_A_SECOND)
        for key in chosen:
            for _device, wake in tuple(self._waiting.get(key, {}).values()):
                wake(spread)
        return len(chosen)
