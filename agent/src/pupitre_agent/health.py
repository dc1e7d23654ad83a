"""What kind of computer this is, and how it is: what a check-in says of it."""

import json
import re
import shutil
from typing import Any, Final

from .machine import WINDOWS, Machine, text_of
from .powershell import powershell

_DMI: Final = "/sys/class/dmi/id"
#: Finer steps would be another message every time.
_STORAGE_STEP: Final = 100_000_000
_SUPPLY: Final = "/sys/class/power_supply"
_BIOS: Final = r"HKLM\HARDWARE\DESCRIPTION\System\BIOS"
_VERSION: Final = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"


def system_name(machine: Machine) -> str:
    """Name and version of the operating system: "Debian 13.1"."""
    return _windows_name(machine) if machine.system == WINDOWS else _linux_name(machine)


def _linux_name(machine: Machine) -> str:
    fields = dict(
        line.partition("=")[::2] for line in text_of(machine, "/etc/os-release").splitlines() if "=" in line
    )
    plain = {key: value.strip().strip("\"'") for key, value in fields.items()}
    identity = plain.get("ID", "linux")
    version = plain.get("VERSION_ID", "")
    if identity == "debian":
        version = text_of(machine, "/etc/debian_version") or version
    name = {"debian": "Debian", "ubuntu": "Ubuntu"}.get(identity, plain.get("NAME", "Linux"))
    return f"{name} {version}".strip()


def _windows_name(machine: Machine) -> str:
    product = str(machine.registry.get(_VERSION, "ProductName") or "Windows")
    build = str(machine.registry.get(_VERSION, "CurrentBuild") or "0")
    # From build 22000 on it is Windows 11, whatever the product's name still says.
    if build.isdigit() and int(build) >= 22000:
        product = product.replace("Windows 10", "Windows 11")
    return f"{product} {machine.registry.get(_VERSION, 'DisplayVersion') or ''} {build}".replace(
        "  ", " "
    ).strip()


def is_older(found: str, least: str) -> bool:
    """Whether a system's version is before another, by their numbers; of another name it is not compared."""
    numbers = [[int(one) for one in re.findall(r"\d+", text)] for text in (found, least)]
    names = [re.sub(r"[\d.\s]+", "", text).lower() for text in (found, least)]
    if names[1] and not names[0].startswith(names[1]):
        return False
    return bool(numbers[1]) and numbers[0][: len(numbers[1])] < numbers[1]


def identity(machine: Machine) -> dict[str, str]:
    """Serial number, maker and model, as far as the firmware tells them."""
    if machine.system == WINDOWS:
        found = {
            "maker": str(machine.registry.get(_BIOS, "SystemManufacturer") or ""),
            "model": str(machine.registry.get(_BIOS, "SystemProductName") or ""),
            "serial": machine.run(*powershell("(Get-CimInstance Win32_BIOS).SerialNumber")).output.strip(),
        }
    else:
        names = {"maker": "sys_vendor", "model": "product_name", "serial": "product_serial"}
        found = {name: text_of(machine, f"{_DMI}/{file}") for name, file in names.items()}
    nothing = {"", "none", "default string", "to be filled by o.e.m.", "system serial number", "0"}
    return {name: value[:200] for name, value in found.items() if value.lower() not in nothing}


def host_name(machine: Machine) -> str:
    if machine.system == WINDOWS:
        key = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName"
        return str(machine.registry.get(key, "ComputerName") or "")
    return text_of(machine, "/etc/hostname")


def boot_name(machine: Machine) -> str:
    """A name of this run of the computer."""
    if machine.system == WINDOWS:
        key = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
        return str(machine.registry.get(key, "BootId") or "")
    return text_of(machine, "/proc/sys/kernel/random/boot_id")


def measures(machine: Machine) -> dict[str, Any]:
    """Battery and free storage: the members of a check-in that change by the hour."""
    free = shutil.disk_usage(machine.real("/")).free
    battery = _windows_battery(machine) if machine.system == WINDOWS else _linux_battery(machine)
    return {**battery, "storage_free": free // _STORAGE_STEP * _STORAGE_STEP}


def _linux_battery(machine: Machine) -> dict[str, Any]:
    for name in machine.names(_SUPPLY):
        folder = f"{_SUPPLY}/{name}"
        if text_of(machine, f"{folder}/type") != "Battery" or text_of(machine, f"{folder}/scope") == "Device":
            continue
        return {
            **_number("battery", text_of(machine, f"{folder}/capacity")),
            "charging": text_of(machine, f"{folder}/status") in {"Charging", "Full", "Not charging"},
            **_wear(machine, folder),
        }
    return {}


def _wear(machine: Machine, folder: str) -> dict[str, int]:
    for kind in ("energy", "charge"):
        full, new = (text_of(machine, f"{folder}/{kind}_{name}") for name in ("full", "full_design"))
        if full.isdigit() and new.isdigit() and int(new):
            return {"battery_health": min(100, round(100 * int(full) / int(new)))}
    return {}


def _number(name: str, text: str) -> dict[str, int]:
    return {name: min(100, int(text))} if text.isdigit() else {}


_BATTERY: Final = (
    "$b = Get-CimInstance Win32_Battery | Select-Object -First 1; "
    "$f = Get-CimInstance -Namespace root/wmi BatteryFullChargedCapacity | Select-Object -First 1; "
    "$d = Get-CimInstance -Namespace root/wmi BatteryStaticData | Select-Object -First 1; "
    "@{level=$b.EstimatedChargeRemaining; status=$b.BatteryStatus; full=$f.FullChargedCapacity; new=$d.DesignedCapacity}"
    " | ConvertTo-Json -Compress"
)
_DISCHARGING: Final = 1


def _windows_battery(machine: Machine) -> dict[str, Any]:
    try:
        found = json.loads(machine.run(*powershell(_BATTERY)).output)
    except ValueError:
        return {}
    if not isinstance(found, dict) or found.get("level") is None:
        return {}
    measured: dict[str, Any] = {
        "battery": min(100, int(found["level"])),
        "charging": found.get("status") != _DISCHARGING,
    }
    if found.get("full") and found.get("new"):
        measured["battery_health"] = min(100, round(100 * found["full"] / found["new"]))
    return measured


def hardware(machine: Machine) -> dict[str, Any]:
    """What the computer is made of, in whole gigabytes."""
    found: dict[str, Any] = {"disk": round(shutil.disk_usage(machine.real("/")).total / 1e9)}
    memory = re.search(r"MemTotal:\s+(\d+) kB", text_of(machine, "/proc/meminfo"))
    if memory:
        found["ram"] = round(int(memory[1]) / 1_000_000)
    processor = re.search(r"model name\s*:\s*(.+)", text_of(machine, "/proc/cpuinfo"))
    if machine.system == WINDOWS:
        key = r"HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        found["processor"] = str(machine.registry.get(key, "ProcessorNameString") or "")
    elif processor:
        found["processor"] = processor[1].strip()
    return found
