"""A WireGuard tunnel: its configuration is the policy's secret, in the words of wg-quick, of which only those that run nothing."""

from typing import Any, Final

from .errors import CannotApply

NAME: Final = "pupitre"
_KNOWN: Final = {
    "interface": {"privatekey", "address", "dns", "mtu", "listenport", "table"},
    "peer": {"publickey", "presharedkey", "allowedips", "endpoint", "persistentkeepalive"},
}
_PORT: Final = 51820


def configuration(vpn: dict[str, Any]) -> str:
    """The tunnel's file. Raises CannotApply for words that would run a program, and where keys are missing."""
    lines: list[str] = []
    section, found = "", set()
    for line in [one.split("#", 1)[0].strip() for one in str(vpn.get("secret") or "").splitlines()]:
        if not line:
            continue
        if line.startswith("["):
            section = line.strip("[]").lower()
            if section not in _KNOWN:
                raise CannotApply(f"The tunnel's configuration has a part {line} that is not known.")
        else:
            name = line.partition("=")[0].strip().lower()
            if name not in _KNOWN.get(section, set()):
                raise CannotApply(f"The tunnel's configuration says {name!r}, which is not allowed.")
            found.add(name)
        lines.append(line)
    if not {"privatekey", "publickey", "allowedips"} <= found:
        raise CannotApply(
            "The secret of a WireGuard tunnel is its configuration, with [Interface] and [Peer]."
        )
    if "endpoint" not in found:
        lines.append(f"Endpoint = {vpn['server']}:{_PORT}")
    return "\n".join(lines) + "\n"
