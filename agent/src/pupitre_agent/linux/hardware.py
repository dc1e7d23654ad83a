"""Camera, Bluetooth and storage by USB: drivers that are not loaded, and device nodes that nobody may open."""

from typing import Final

from pupitre_agent.engine import File, Handler, Part, Settings
from pupitre_agent.machine import Machine

_HEAD: Final = "# Written by pupitre-agent; changes are lost.\n"
#: Before 73-seat-late.rules, which gives the user of the screen what is tagged "uaccess".
_CAMERA_RULES: Final = """\
SUBSYSTEM=="video4linux", GROUP="root", MODE="0600", TAG-="uaccess"
ACTION=="add", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_interface", ATTR{bInterfaceClass}=="0e", ATTR{authorized}="0"
"""
_STORAGE_RULES: Final = """\
ACTION=="add", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_interface", ATTR{bInterfaceClass}=="08", ATTR{authorized}="0"
SUBSYSTEM=="block", ENV{ID_BUS}=="usb", GROUP="root", MODE="0600", TAG-="uaccess", ENV{UDISKS_IGNORE}="1"
"""
_BLUETOOTH_RULES: Final = """\
SUBSYSTEM=="rfkill", ATTR{type}=="bluetooth", ATTR{soft}="1"
KERNEL=="rfkill", SUBSYSTEM=="misc", TAG-="uaccess"
"""


def _without(drivers: tuple[str, ...], name: str, rules: str, subsystem: str, machine: Machine) -> Part:
    """Drivers that are not loaded, rules for what is plugged in, and what is there already looked at anew."""
    if not machine.has("udevadm"):
        part = Part()
        part.cannot(name, "udevadm: not found")
        return part
    lines = "".join(f"install {driver} /bin/false\n" for driver in drivers)
    part = Part(
        [
            File(f"/etc/modprobe.d/60-pupitre-{name}.conf", (_HEAD + lines).encode()),
            File(f"/etc/udev/rules.d/72-pupitre-{name}.rules", (_HEAD + rules).encode()),
        ],
        [("udevadm", "control", "--reload"), ("udevadm", "trigger", f"--subsystem-match={subsystem}")],
    )
    # The kernel writes its modules with underscores.
    loaded = [one for one in drivers if machine.mode("/sys/module/" + one.replace("-", "_")) is not None]
    part.after += [("modprobe", "-r", driver) for driver in loaded]
    return part


def _camera(settings: Settings, machine: Machine) -> Part:
    if settings["camera"] is not False:
        return Part()
    return _without(("uvcvideo",), "camera", _CAMERA_RULES, "video4linux", machine)


def _usb_storage(settings: Settings, machine: Machine) -> Part:
    if settings["usb_storage"] is not False:
        return Part()
    return _without(("uas", "usb-storage"), "usb_storage", _STORAGE_RULES, "block", machine)


def _bluetooth(settings: Settings, machine: Machine) -> Part:
    if settings["bluetooth"] is not False:
        return Part()
    return _without(("btusb", "bluetooth"), "bluetooth", _BLUETOOTH_RULES, "rfkill", machine)


HANDLERS: Final = (
    Handler("camera", frozenset({"camera"}), _camera),
    Handler("usb_storage", frozenset({"usb_storage"}), _usb_storage),
    Handler("bluetooth", frozenset({"bluetooth"}), _bluetooth),
)
