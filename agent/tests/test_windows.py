"""Settings on Windows: values of the registry and calls of its tools, through the same port."""

from typing import Any

import pytest
from pupitre_agent.engine import Engine
from pupitre_agent.packages.windows import _table
from pupitre_agent.powershell import literal
from pupitre_agent.store import Store
from pupitre_agent.windows import HANDLERS

from agent.tests.computers import Computer
from agent.tests.test_linux import certificate

__all__ = ["certificate"]
CHROME = r"HKLM\SOFTWARE\Policies\Google\Chrome"


def apply(windows: Computer, **settings: Any) -> list[str]:
    engine = Engine(windows.machine, HANDLERS, Store(windows.root / "agent"))
    return [f"{one.key}: {one.reason}" for one in engine.apply(settings)]


def value(windows: Computer, key: str, name: str) -> Any:
    return windows.machine.registry.get(key, name)


@pytest.mark.parametrize(
    ("key", "place", "name", "expected"),
    [
        ("camera", r"HKLM\SOFTWARE\Policies\Microsoft\Camera", "AllowCamera", 0),
        ("usb_storage", r"HKLM\SOFTWARE\Policies\Microsoft\Windows\RemovableStorageDevices", "Deny_All", 1),
        ("bluetooth", r"HKLM\SYSTEM\CurrentControlSet\Services\BTHUSB", "Start", 4),
        ("install_applications", r"HKLM\SOFTWARE\Policies\Microsoft\WindowsStore", "RemoveWindowsStore", 1),
        ("add_accounts", r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System", "NoConnectedUser", 3),
    ],
)  # fmt: skip
def test_a_restriction_is_a_value_and_comes_back(
    windows: Computer, key: str, place: str, name: str, expected: int
) -> None:
    windows.machine.registry.put(r"HKLM\SYSTEM\CurrentControlSet\Services\BTHUSB", "Start", 3)
    before = value(windows, place, name)
    assert apply(windows, **{key: False}) == []
    assert value(windows, place, name) == expected
    assert apply(windows) == []
    assert value(windows, place, name) == before


def test_a_list_of_sites_is_numbered_values_and_shrinks(windows: Computer) -> None:
    apply(windows, web={"mode": "block", "hosts": ["tiktok.com", "b.example", "a.example"]})
    assert [value(windows, rf"{CHROME}\URLBlocklist", number) for number in "123"] == [
        "a.example", "b.example", "tiktok.com",
    ]  # fmt: skip
    apply(windows, web={"mode": "allow", "hosts": ["wikipedia.org"]})
    assert value(windows, rf"{CHROME}\URLBlocklist", "1") == "*"
    assert value(windows, rf"{CHROME}\URLBlocklist", "2") is None
    assert value(windows, rf"{CHROME}\URLAllowlist", "1") == "wikipedia.org"
    edge = r"HKLM\SOFTWARE\Policies\Microsoft\Edge"
    assert value(windows, edge, "InPrivateModeAvailability") == 1
    firefox = r"HKLM\SOFTWARE\Policies\Mozilla\Firefox"
    assert "<all_urls>" in value(windows, firefox, "WebsiteFilter")
    apply(windows)
    assert windows.machine.registry.keys(r"HKLM\SOFTWARE\Policies") == []


def test_a_network_is_added_once_and_changed_by_a_new_file(windows: Computer) -> None:
    oak = {"ssid": 'Oak & "Co"', "security": "wpa2", "password": "acorn<acorn"}
    assert apply(windows, wifi=[oak]) == []
    assert apply(windows, wifi=[oak]) == []
    (call,) = windows.calls("netsh")
    path = call[4].removeprefix("filename=")
    assert "acorn&lt;acorn" in windows.text(path)
    assert "Oak &amp; " in windows.text(path)
    apply(windows, wifi=[{**oak, "password": "another-one"}], change_wifi=False)
    added = [one for one in windows.calls("netsh") if one[2:4] == ["add", "profile"]]
    assert len(added) == 2
    assert windows.text(path) == ""
    assert [
        "netsh",
        "wlan",
        "add",
        "filter",
        "permission=denyall",
        "networktype=infrastructure",
    ] in windows.calls()
    apply(windows)
    assert ["netsh", "wlan", "delete", "profile", 'name=Oak & "Co"'] in windows.calls("netsh")
    assert [
        "netsh",
        "wlan",
        "delete",
        "filter",
        "permission=denyall",
        "networktype=infrastructure",
    ] in windows.calls()


def test_a_certificate_goes_by_its_thumbprint(windows: Computer, certificate: str) -> None:
    assert apply(windows, certificates=[{"name": "Oak", "pem": certificate}]) == []
    ((*add, path),) = windows.calls("certutil")
    assert add == ["certutil", "-addstore", "-f", "Root"]
    assert "ImportEnterpriseRoots" in value(
        windows, r"HKLM\SOFTWARE\Policies\Mozilla\Firefox", "Certificates"
    )
    apply(windows)
    assert windows.calls("certutil")[-1][:3] == ["certutil", "-delstore", "Root"]
    assert windows.calls("certutil")[-1][3] in path


def test_applications_are_allowed_by_applocker(windows: Computer) -> None:
    place = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{1}"
    for name, text in {
        "DisplayName": "GeoGebra",
        "DisplayVersion": "6.0",
        "InstallLocation": r"C:\Program Files\GeoGebra",
    }.items():
        windows.machine.registry.put(place, name, text)
    said = apply(windows, allowed_applications={"packages": ["GeoGebra", "calc.exe", "Unknown"]})
    assert said == [
        "allowed_applications: Unknown is not installed, or does not say where; name it by its program (.exe)."
    ]
    policy = windows.text(r"C:\ProgramData\Pupitre\Agent\applocker.xml")
    assert r"C:\Program Files\GeoGebra\*" in policy
    assert r'Path="*\calc.exe"' in policy
    assert 'Action="Allow"><Conditions><FilePathCondition Path="*"' in policy.replace(
        'UserOrGroupSid="S-1-5-32-544" ', ""
    ), "administrators"
    assert any("Set-AppLockerPolicy" in one[-1] for one in windows.calls("powershell.exe"))
    apply(windows, blocked_applications={"packages": ["GeoGebra"]})
    assert 'Action="Deny"' in windows.text(r"C:\ProgramData\Pupitre\Agent\applocker.xml")
    assert len([one for one in windows.calls("powershell.exe") if "applocker.xml" in one[-1]]) == 2


def test_a_kiosk_takes_the_place_of_the_desktop(windows: Computer) -> None:
    key = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
    windows.machine.registry.put(key, "Shell", "explorer.exe")
    apply(windows, mode="kiosk", kiosk_application=r"C:\Exam\exam.exe")
    assert value(windows, key, "Shell") == r"C:\Exam\exam.exe"
    apply(windows)
    assert value(windows, key, "Shell") == "explorer.exe"


def test_what_windows_cannot_be_told_is_said(windows: Computer) -> None:
    assert apply(windows, home_applications={"packages": ["x"]}) == [
        "home_applications: This agent cannot do that on this system."
    ]


def test_nothing_of_a_policy_is_read_as_a_command() -> None:
    assert literal("it's $(bad) `x`") == "'it''s $(bad) `x`'"


def test_the_table_of_winget_is_read_by_its_columns() -> None:
    text = (
        "\r-\r                    \rNom              Id                 Version  Source\n"
        "---------------------------------------------------\n"
        "VLC media player VideoLAN.VLC       3.0.21   winget\n"
        "7-Zip            7zip.7zip          24.08    winget\n"
    )
    assert _table(text) == {"VideoLAN.VLC": "3.0.21", "7zip.7zip": "24.08"}
