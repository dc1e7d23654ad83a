"""Kiosk and exam: a session that is nothing but one application, instead of the desktop.

A unit of systemd starts a compositor for a single application (cage) as a user who may do nothing else, and takes the place of the
display manager, whichever that is. Nothing of a desktop is there to get out into.
"""

import shlex
from typing import Final

from pupitre_agent.engine import File, Handler, Made, Part, Settings
from pupitre_agent.errors import CannotApply
from pupitre_agent.machine import Machine

from .launching import command_of

_USER: Final = "pupitre-kiosk"
_UNIT: Final = """\
[Unit]
Description=One application, full screen (pupitre-agent)
After=systemd-user-sessions.service
Conflicts=display-manager.service getty@tty1.service

[Service]
User={user}
PAMName=login
TTYPath=/dev/tty1
TTYReset=yes
TTYVHangup=yes
StandardInput=tty-fail
UtmpIdentifier=tty1
UtmpMode=user
ExecStart=/usr/bin/cage -s -- {command}
Restart=always
RestartSec=2

[Install]
WantedBy=graphical.target
"""


def _wants(settings: Settings, machine: Machine) -> Part:
    if settings.get("mode") not in {"kiosk", "exam"}:
        return Part()
    name = str(settings.get("kiosk_application") or "")
    if not name:
        if settings["mode"] == "exam":
            return Part()  # the desktop, with what `exam` shuts and with allowed applications only
        raise CannotApply("There is no kiosk_application that could be shown.")
    if not machine.has("cage"):
        raise CannotApply("cage: not found")
    unit = _UNIT.format(user=_USER, command=shlex.join(command_of(machine, name)).replace("%", "%%"))
    return Part(
        [
            File(
                "/etc/sysusers.d/pupitre-kiosk.conf",
                f'u {_USER} - "Kiosk" /var/lib/{_USER} /bin/sh\nm {_USER} video\nm {_USER} render\n'.encode(),
            ),
            File("/etc/tmpfiles.d/pupitre-kiosk.conf", f"d /var/lib/{_USER} 0700 {_USER} {_USER}\n".encode()),
            File("/etc/systemd/system/pupitre-kiosk.service", unit.encode()),
            Made(
                "kiosk session",
                (
                    ("systemd-sysusers",),
                    ("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/pupitre-kiosk.conf"),
                    ("systemctl", "daemon-reload"),
                    ("systemctl", "enable", "pupitre-kiosk.service"),
                    ("systemctl", "restart", "pupitre-kiosk.service"),
                ),
                (
                    ("systemctl", "disable", "--now", "pupitre-kiosk.service"),
                    ("systemctl", "start", "display-manager.service"),
                ),
            ),
        ],
        [("systemctl", "daemon-reload")],
    )


HANDLER: Final = Handler("session", frozenset({"mode", "kiosk_application"}), _wants)
