"""Settings on Linux: what they put there, that they do it once, and that nothing of it stays."""

import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from pupitre_agent.engine import Engine
from pupitre_agent.linux import HANDLERS
from pupitre_agent.store import Store

from agent.tests.computers import Computer


@pytest.fixture(scope="session")
def certificate() -> str:
    """Some school's own authority."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Oak")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 7, day, day + dt.timedelta(days=900))
    return built.sign(key, None).public_bytes(Encoding.PEM).decode()


def engine(computer: Computer) -> Engine:
    return Engine(computer.machine, HANDLERS, Store(computer.machine.real("/var/lib/pupitre-agent")))


def apply(computer: Computer, **settings: Any) -> list[str]:
    """Returns what is wrong, as "key: reason"."""
    return [f"{one.key}: {one.reason}" for one in engine(computer).apply(settings)]


ALL: dict[str, Any] = {
    "camera": False, "bluetooth": False, "usb_storage": False, "install_applications": False, "uninstall_applications": False,
    "developer_mode": False, "add_accounts": False, "change_wifi": False, "passcode": "strong", "mode": "kiosk",
    "kiosk_application": "org.gnome.Calculator", "allowed_applications": {"packages": ["org.gnome.Calculator"]},
    "blocked_applications": {"packages": ["supertux"]}, "proxy": {"host": "proxy.oak", "port": 3128, "except": ["oak.example"]},
    "wifi": [{"ssid": "Oak", "security": "wpa2", "password": "acorn-acorn"}], "web": {"mode": "allow", "hosts": ["wikipedia.org"]},
    "system_updates": {"mode": "window", "from": "17:00", "to": "19:00"}, "oldest_system": "13", "screen_timeout": 300,
    "wallpaper": "/usr/local/share/backgrounds/oak.png", "home_applications": {"packages": ["org.gnome.Calculator"]},
}  # fmt: skip


def prepared(computer: Computer) -> Computer:
    computer.give_application("org.gnome.Calculator", "/usr/bin/gnome-calculator", "gnome-calculator")
    computer.give_application("supertux", "/usr/games/supertux2", "supertux")
    return computer


def test_everything_holds_and_is_done_once(computer: Computer) -> None:
    prepared(computer)
    assert apply(computer, **ALL) == []
    computer.forget_calls()
    before = computer.files()
    assert apply(computer, **ALL) == []
    assert computer.calls() == []
    assert computer.files() == before


def test_nothing_stays_when_everything_is_given_free(computer: Computer) -> None:
    prepared(computer)
    computer.put("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\n")
    before = computer.files()
    apply(computer, **ALL)
    assert computer.text("/etc/dconf/profile/user") == "user-db:user\nsystem-db:local\nsystem-db:pupitre\n"
    assert engine(computer).release() == []
    assert computer.files() == before
    assert computer.calls("systemctl")[-2:] == [
        ["systemctl", "start", "display-manager.service"], ["systemctl", "daemon-reload"],
    ]  # fmt: skip


def test_drivers_that_are_loaded_are_taken_out(computer: Computer) -> None:
    computer.put("/sys/module/usb_storage/refcnt", "0")
    assert apply(computer, usb_storage=False) == []
    assert computer.calls("modprobe") == [["modprobe", "-r", "usb-storage"]]
    computer.give_tool("modprobe", "echo 'modprobe: FATAL: Module usb_storage is in use.'; exit 1")
    apply(computer)
    said = apply(computer, usb_storage=False)
    assert said == [
        "usb_storage: modprobe -r usb-storage: ended with 1: modprobe: FATAL: Module usb_storage is in use."
    ]


def test_what_somebody_changed_is_put_right(computer: Computer) -> None:
    apply(computer, camera=False)
    path = "/etc/modprobe.d/60-pupitre-camera.conf"
    before = computer.text(path)
    computer.put(path, "")
    computer.forget_calls()
    apply(computer, camera=False)
    assert computer.text(path) == before
    assert ["udevadm", "control", "--reload"] in computer.calls("udevadm")


def test_what_cannot_be_applied_is_said_with_its_reason(computer: Computer) -> None:
    for tool in ("nmcli", "dconf", "udevadm", "cage", "unattended-upgrade", "update-ca-certificates"):
        computer.take_tool(tool)
    said = apply(
        computer, camera=False, wifi=[{"ssid": "Oak"}], screen_timeout=60, mode="kiosk", kiosk_application="calc",
        system_updates={"mode": "instant"}, certificates=[{"name": "x", "pem": "y"}], hologram=True, oldest_system="14",
        vpn={"kind": "ikev2", "server": "vpn.oak"},
    )  # fmt: skip
    assert "hologram: This agent cannot do that on this system." in said
    assert "camera: udevadm: not found" in said
    assert "wifi: nmcli: not found" in said
    assert "mode: cage: not found" in said
    assert "system_updates: unattended-upgrades is not installed." in said
    assert "certificates: update-ca-certificates: not found" in said
    assert "oldest_system: Debian 13.1 is older than 14." in said
    assert "vpn: NetworkManager's part for ikev2 is not installed." in said
    assert any(one.startswith("screen_timeout: ") for one in said)


def test_a_tool_that_fails_is_told_and_called_again(computer: Computer) -> None:
    computer.give_tool("nmcli", 'echo "Error: NetworkManager is not running."; exit 8')
    wifi = [{"ssid": "Oak", "security": "wpa2", "password": "acorn-acorn"}]
    said = apply(computer, wifi=wifi)
    assert said == ["wifi: nmcli connection reload: ended with 8: Error: NetworkManager is not running."]
    computer.give_tool("nmcli")
    assert apply(computer, wifi=wifi) == []
    assert apply(computer, wifi=wifi) == []
    assert len(computer.calls("nmcli")) == 2


def test_a_setting_of_the_wrong_kind_is_told_and_the_others_hold(computer: Computer) -> None:
    said = apply(computer, wifi="Oak", camera=False, screen_timeout="long")
    assert {one.split(":")[0] for one in said} == {"wifi", "screen_timeout"}
    assert computer.text("/etc/modprobe.d/60-pupitre-camera.conf")


def test_a_wifi_password_is_readable_by_root_alone_and_stands_in_no_other_line(computer: Computer) -> None:
    said = apply(
        computer,
        wifi=[
            {"ssid": "Oak", "security": "wpa3", "password": " acorn\\=acorn", "hidden": True},
            {"ssid": "Ö;x", "security": "open"},
            {"ssid": "Evil", "security": "wpa2", "password": "12345678\n[connection]"},
            {"ssid": "Old", "security": "wep", "password": "12345678"},
        ],
    )
    folder = "/etc/NetworkManager/system-connections"
    names = computer.machine.names(folder)
    assert len(names) == 2
    assert all(computer.machine.mode(f"{folder}/{name}") == 0o600 for name in names)
    oak = next(computer.text(f"{folder}/{name}") for name in names if "oak" in name)
    assert "key-mgmt=sae" in oak
    assert "psk=\\sacorn\\\\=acorn" in oak
    assert "hidden=true" in oak
    other = next(computer.text(f"{folder}/{name}") for name in names if "oak" not in name)
    assert "ssid=195;150;59;120;" in other
    assert len(said) == 2


def test_a_certificate_is_trusted_and_what_is_none_is_not(computer: Computer, certificate: str) -> None:
    said = apply(computer, certificates=[{"name": "Oak", "pem": certificate}, {"name": "No", "pem": "no"}])
    assert said == ["certificates: No: This is not a certificate in PEM."]
    folder = "/usr/local/share/ca-certificates/pupitre"
    (name,) = computer.machine.names(folder)
    assert computer.text(f"{folder}/{name}") == certificate
    assert computer.calls("update-ca-certificates") == [["update-ca-certificates"]]
    assert f"{folder}/{name}" in computer.text("/etc/firefox/policies/policies.json")
    assert "CACertificates" in computer.text("/etc/chromium/policies/managed/pupitre.json")


TUNNEL = """[Interface]
PrivateKey = AAAA
Address = 10.0.0.7/32
[Peer]
PublicKey = BBBB
AllowedIPs = 10.0.0.0/8
"""


def test_a_tunnel_comes_up_and_runs_nothing(computer: Computer) -> None:
    computer.give_tool("wg-quick")
    vpn = {"kind": "wireguard", "server": "vpn.oak", "secret": TUNNEL}
    assert apply(computer, vpn=vpn) == []
    path = "/etc/wireguard/pupitre.conf"
    assert computer.text(path).endswith("Endpoint = vpn.oak:51820\n")
    assert computer.machine.mode(path) == 0o600
    assert apply(computer, vpn={**vpn, "secret": TUNNEL.replace("BBBB", "CCCC")}) == []
    assert computer.calls("systemctl").count(["systemctl", "restart", "wg-quick@pupitre.service"]) == 2
    said = apply(computer, vpn={**vpn, "secret": TUNNEL + "PostUp = rm -rf /\n"})
    assert said == ["vpn: The tunnel's configuration says 'postup', which is not allowed."]
    assert computer.text(path) == ""


# Applications that may be started


def test_only_allowed_applications_start_and_open_ones_are_closed(computer: Computer) -> None:
    prepared(computer)
    computer.give_application("sl", "/usr/bin/python3", extra="")
    computer.put("/proc/77/loginuid", "1001")
    computer.machine.real("/proc/77/exe").symlink_to("/usr/games/supertux2")
    computer.put("/proc/78/loginuid", "1001")
    computer.machine.real("/proc/78/exe").symlink_to("/usr/bin/gnome-calculator")
    said = apply(computer, allowed_applications={"packages": ["gnome-calculator"]})
    assert computer.machine.mode("/usr/games/supertux2") == 0o700
    assert computer.machine.mode("/usr/bin/gnome-calculator") == 0o755
    assert computer.machine.mode("/usr/bin/python3") == 0o755, "others need it"
    assert len(said) == 1
    assert "only hidden" in said[0]
    assert "Hidden=true" in computer.text("/usr/local/share/applications/supertux.desktop")
    assert computer.calls("kill") == [["kill", "-TERM", "77"]]
    apply(computer)
    assert computer.machine.mode("/usr/games/supertux2") == 0o755
    assert computer.text("/usr/local/share/applications/supertux.desktop") == ""


def test_a_flatpak_and_a_snap_are_blocked_too(computer: Computer) -> None:
    exported = "/var/lib/flatpak/exports/share/applications/net.minetest.Minetest.desktop"
    computer.put(
        exported,
        "[Desktop Entry]\nExec=/usr/bin/flatpak run net.minetest.Minetest\nX-Flatpak=net.minetest.Minetest\n",
    )
    computer.put("/var/lib/flatpak/app/net.minetest.Minetest/current", "")
    snapped = "/var/lib/snapd/desktop/applications/discord_discord.desktop"
    computer.put(snapped, "[Desktop Entry]\nExec=/snap/bin/discord\nX-SnapInstanceName=discord\n")
    names = ["net.minetest.Minetest", "discord"]
    assert apply(computer, blocked_applications={"packages": names}) == []
    folder = computer.machine.real("/var/lib/flatpak/app/net.minetest.Minetest")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert computer.calls("snap") == [["snap", "disable", "discord"]]
    apply(computer)
    assert folder.stat().st_mode & 0o077
    assert computer.calls("snap")[-1] == ["snap", "enable", "discord"]


def test_a_program_that_was_installed_anew_is_shut_again(computer: Computer) -> None:
    prepared(computer)
    blocked = {"packages": ["supertux"]}
    apply(computer, blocked_applications=blocked)
    computer.put("/usr/games/supertux2", "newer", 0o755)
    apply(computer, blocked_applications=blocked)
    assert computer.machine.mode("/usr/games/supertux2") == 0o700
    apply(computer)
    assert computer.machine.mode("/usr/games/supertux2") == 0o755


def test_a_kiosk_shows_its_application_and_nothing_else(computer: Computer) -> None:
    prepared(computer)
    assert apply(computer, mode="kiosk", kiosk_application="org.gnome.Calculator") == []
    unit = computer.text("/etc/systemd/system/pupitre-kiosk.service")
    assert "ExecStart=/usr/bin/cage -s -- /usr/bin/gnome-calculator\n" in unit
    assert "Conflicts=display-manager.service" in unit
    assert ["systemctl", "restart", "pupitre-kiosk.service"] in computer.calls("systemctl")
    assert apply(computer, mode="kiosk", kiosk_application="nothing") != []


def test_browsers_that_obey_no_list_are_named(computer: Computer) -> None:
    computer.put("/usr/bin/falkon", "", 0o755)
    web = {"mode": "allow", "hosts": ["https://www.wikipedia.org/wiki", "*.geogebra.org"]}
    said = apply(computer, web=web)
    assert said == ["web: The browser falkon does not obey lists of sites. Block it or remove it."]
    chromium = computer.text("/etc/chromium/policies/managed/pupitre.json")
    assert '"www.wikipedia.org"' in chromium
    assert '"geogebra.org"' in chromium
    assert apply(computer, web=web, blocked_applications={"packages": ["falkon"]})[:1] == said
    assert apply(computer, web=web, blocked_applications={"packages": ["falkon"]}) == []


def test_a_session_that_is_not_ours_is_left_alone_where_nothing_is_limited(computer: Computer) -> None:
    before = computer.files()
    assert (
        apply(
            computer,
            camera=True,
            mode="open",
            install_applications=True,
            passcode="any",
            web={"mode": "open"},
        )
        == []
    )
    assert computer.files() == before
