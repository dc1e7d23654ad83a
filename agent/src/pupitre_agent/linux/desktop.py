"""What the desktop shows: a database of dconf with locks, which GNOME, Cinnamon and others obey."""

from typing import Any, Final

from pupitre_agent.engine import File, Handler, Part, Settings
from pupitre_agent.errors import CannotApply
from pupitre_agent.machine import Machine, text_of
from pupitre_agent.names import excepted

from . import launching

_PROFILE: Final = "/etc/dconf/profile/user"
_DATABASE: Final = "/etc/dconf/db/pupitre.d"
_KEYS: Final = frozenset(
    {"wallpaper", "home_applications", "screen_timeout", "proxy", "developer_mode", "add_accounts"}
)
Words = dict[str, str]


def text(value: str) -> str:
    """A text as GVariant writes it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def texts(values: list[str]) -> str:
    return f"[{', '.join(text(one) for one in values)}]" if values else "@as []"


def _wallpaper(settings: Settings, machine: Machine) -> Words:
    value = str(settings["wallpaper"])
    if not value:
        return {}
    if not value.startswith("/"):
        raise CannotApply(
            "The picture must be named by its path on the computer; put it there by the setting 'files'."
        )
    return {
        f"/org/{desktop}/desktop/background/{name}": text(f"file://{value}")
        for desktop in ("gnome", "cinnamon")
        for name in ("picture-uri", "picture-uri-dark")
    }


def _home(settings: Settings, machine: Machine) -> Words:
    wanted = (settings["home_applications"] or {}).get("packages") or []
    entries = launching.launchers(machine)
    found = [one.file for package in wanted for one in entries if one.is_of(str(package))]
    return {"/org/gnome/shell/favorite-apps": texts(list(dict.fromkeys(found)))}


def _timeout(settings: Settings, machine: Machine) -> Words:
    seconds = int(settings["screen_timeout"])
    return {
        "/org/gnome/desktop/session/idle-delay": f"uint32 {seconds}",
        "/org/gnome/desktop/screensaver/lock-enabled": "true",
        "/org/cinnamon/desktop/session/idle-delay": f"uint32 {seconds}",
    }


def _proxy(settings: Settings, machine: Machine) -> Words:
    proxy: dict[str, Any] = settings["proxy"] or {}
    if not proxy.get("host"):
        return {}
    words = {"/system/proxy/mode": text("manual")}
    words["/system/proxy/ignore-hosts"] = texts(["localhost", "127.0.0.0/8", "::1", *excepted(proxy)])
    for kind in ("http", "https"):
        words[f"/system/proxy/{kind}/host"] = text(str(proxy["host"]))
        words[f"/system/proxy/{kind}/port"] = str(int(proxy["port"]))
    return words


def _developer(settings: Settings, machine: Machine) -> Words:
    if settings["developer_mode"] is not False:
        return {}
    return {"/org/gnome/desktop/lockdown/disable-command-line": "true"}


def _accounts(settings: Settings, machine: Machine) -> Words:
    if settings["add_accounts"] is not False:
        return {}
    return {"/org/gnome/online-accounts/whitelisted-providers": texts([])}


_MAKERS: Final = {
    "wallpaper": _wallpaper,
    "home_applications": _home,
    "screen_timeout": _timeout,
    "proxy": _proxy,
    "developer_mode": _developer,
    "add_accounts": _accounts,
}


def _wants(settings: Settings, machine: Machine) -> Part:
    part = Part(after=[("dconf", "update")])
    words: Words = {}
    for key in [key for key in _MAKERS if key in settings]:
        try:
            words |= _MAKERS[key](settings, machine)
        except CannotApply as error:
            part.cannot(key, str(error))
    if not words:
        return Part(problems=part.problems)
    if not machine.has("dconf"):
        for key in settings:
            part.cannot(key, "This computer has no desktop that keeps its settings in dconf.")
        return Part(problems=part.problems)
    part.resources = [
        File(_PROFILE, _profile(machine)),
        File(f"{_DATABASE}/60-settings", _written(words)),
        File(f"{_DATABASE}/locks/60-settings", "".join(f"{path}\n" for path in sorted(words)).encode()),
    ]
    return part


def _profile(machine: Machine) -> bytes:
    """The databases of a user, with ours among them."""
    lines = text_of(machine, _PROFILE).splitlines() or ["user-db:user"]
    ours = "system-db:pupitre"
    return ("\n".join([*lines, *([] if ours in lines else [ours])]) + "\n").encode()


def _written(words: Words) -> bytes:
    folders: dict[str, list[str]] = {}
    for path, value in sorted(words.items()):
        folder, _, name = path.strip("/").rpartition("/")
        folders.setdefault(folder, []).append(f"{name}={value}")
    return "\n".join(f"[{folder}]\n" + "\n".join(lines) + "\n" for folder, lines in folders.items()).encode()


HANDLER: Final = Handler("desktop", _KEYS, _wants)
