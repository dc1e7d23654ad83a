"""The settings of a Mosquitto broker for Headwind's agents, written from ours."""

import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pupitre.devices.rules.headwind import broker
from pupitre.kernel.config import Config
from pupitre.project.cli import CommandError


def write(config: Config, folder: Path, address: str) -> str:
    """Write the files; returns what to do next. Raises CommandError."""
    if not config.headwind_secret or not config.mqtt_url:
        raise CommandError(
            "Set PUPITRE_HEADWIND_SECRET and PUPITRE_MQTT_URL first: the broker's users follow from them."
        )
    parts = urlsplit(config.mqtt_url)
    files = broker.files(
        config.headwind_secret,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        str(folder),
        (secrets.token_bytes(12), secrets.token_bytes(12)),
        port=parts.port or broker.PORT,
        address=address,
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)
    return (
        f"Written. Start the broker as the user who owns {folder}: mosquitto -c {folder / 'mosquitto.conf'}"
    )
