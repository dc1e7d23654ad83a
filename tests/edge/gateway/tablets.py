"""A tablet with Headwind's stock agent, as far as its messages go: it signs, checks, keeps and repeats as the agent does."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from .arranging import Reply, Running

SECRET = "the secret of this fleet"


def H(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest().upper()


class SignatureError(Exception):
    """The agent drops the answer."""


@dataclass
class Tablet:
    """One tablet.

    Attributes:
        installed: what is on it: {package: version}.
        hidden: packages that its launcher has hidden.
    """

    running: Running
    number: str
    secret: str = SECRET
    is_owner: bool = True
    config: dict[str, Any] | None = None
    installed: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    battery: int = 83

    # The agent's calls

    def enrol(self, **told: Any) -> dict[str, Any]:
        body = {"customer": None, "configuration": None, "groups": None, **told}
        return self._accept(self.send("POST", self._config_path, body, signed=H(self.secret + self.number)))

    def fetch(self) -> dict[str, Any]:
        return self._accept(self.send("GET", self._config_path, signed=H(self.secret + self.number)))

    def report(self, **told: Any) -> Reply:
        return self.send("POST", "/rest/public/sync/info", self.info(**told))

    def poll(self, running: Running | None = None, *, short: bool = False) -> Reply:
        path = "/rest/notifications/device/" if short else "/rest/notification/polling/"
        # Java's URLEncoder for what is signed, the HTTP library's own way for what is asked.
        signature = H(self.secret + path + quote_plus(self.number))
        return self.send("GET", path + quote(self.number), signed=signature, running=running)

    def messages(self, running: Running | None = None, *, short: bool = False) -> list[dict[str, Any]]:
        """What a poll says, as the agent takes it: payloads are texts with JSON in them, one message of a kind."""
        reply = self.poll(running, short=short)
        assert reply.status == 200, (reply.status, reply.body)
        told = reply.json()
        assert told["status"] == "OK"
        assert all(one["payload"] is None or isinstance(one["payload"], str) for one in told["data"])
        return list({one["messageType"]: one for one in told["data"]}.values())

    def confirm(self, what: str = "", **told: Any) -> Reply:
        path = f"/rest/plugins/devicereset/public/{what + '/' if what else ''}{quote(self.number)}"
        return self.send("POST", path, self.info(**told))

    # The tablet

    def apply(self) -> dict[str, Any]:
        """Fetch the configuration and do what the agent does with it; then report. Returns the configuration."""
        config = self.fetch()
        for one in config["files"]:
            if one["remove"]:
                self.files.pop(one["path"], None)
            elif self.files.get(one["path"], {}).get("lastUpdate", -1) < one["lastUpdate"]:
                self.files[one["path"]] = {
                    "path": one["path"],
                    "checksum": one["checksum"],
                    "lastUpdate": one["lastUpdate"],
                }
        applications = config["applications"]
        for one in (one for one in applications if one["remove"]):
            if one["version"] in ("0", self.installed.get(one["pkg"])):
                self.installed.pop(one["pkg"], None)
        for one in (one for one in applications if not one["remove"] and one["url"] and one["type"] == "app"):
            has = self.installed.get(one["pkg"])
            if has is None or (not one["skipVersion"] and _digits(has) < _digits(one["version"])):
                self.installed[one["pkg"]] = one["version"]
        self.hidden |= set(self.setting("locked_packages"))
        self.hidden -= set(self.setting("unlocked_packages"))
        assert self.report().json()["status"] == "OK"
        return config

    def setting(self, name: str) -> list[str]:
        assert self.config is not None
        found = [one["value"] for one in self.config["applicationSettings"] if one["name"] == name]
        return [part for value in found for part in value.split(",") if part]

    def info(self, **told: Any) -> dict[str, Any]:
        """DeviceInfo: of applications only those that the configuration names, by the names that it gives them."""
        listed = [one for one in (self.config or {}).get("applications", []) if not one["remove"]]
        has = {"com.hmdm.launcher": "6.36", **self.installed}
        return {
            "model": "SM-T500", "permissions": [1, 1, 0, 0],
            "applications": [
                {"pkg": one["pkg"], "name": one["name"], "version": has[one["pkg"]]} for one in listed if one["pkg"] in has
            ],
            "files": list(self.files.values()), "deviceId": self.number, "phone": "+34600000000", "imei": None,
            "mdmMode": self.is_owner, "kioskMode": False, "batteryLevel": self.battery, "batteryCharging": "usb",
            "androidVersion": "13", "location": {"ts": 1795219200000, "lat": 41.387, "lon": 2.168}, "cpu": "arm64-v8a",
            "serial": self.number, "factoryReset": None, **told,
        }  # fmt: skip

    def send(
        self, method: str, path: str, told: Any = None, *, signed: str = "", running: Running | None = None
    ) -> Reply:
        headers = {"Content-Type": "application/json", "X-CPU-Arch": "arm64-v8a"}
        if signed:
            headers["X-Request-Signature"] = signed
        body = b"" if told is None else told if isinstance(told, bytes) else json.dumps(told).encode()
        return (running or self.running).ask(method, path, body, headers)

    def open(self, url: str) -> Reply:
        """Whatever the agent fetches or shows: with its signature where the address has files in it."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        signature = H(self.secret + url.partition("/files/")[2]) if "/files/" in url else ""
        return self.send("GET", target, signed=signature)

    @property
    def _config_path(self) -> str:
        return f"/rest/public/sync/configuration/{quote(self.number)}"

    def _accept(self, reply: Reply) -> dict[str, Any]:
        """As an agent with CHECK_SIGNATURE: cut from "data": to the last character but one, white space taken out."""
        assert reply.status == 200, (reply.status, reply.body)
        text = reply.body.decode()
        told = json.loads(text)
        if told["status"] != "OK":
            raise LookupError(told["message"])
        cut = text[text.index('"data":') + len('"data":') : -1]
        if H(self.secret + re.sub(r"\s", "", cut, flags=re.ASCII)) != reply.headers.get(
            "x-response-signature"
        ):
            raise SignatureError
        config = json.loads(cut)
        self.number = config.pop("newNumber", None) or self.number
        self.config = config
        return dict(config)


def _digits(version: str) -> list[int]:
    return [int(part) for part in re.sub(r"[^0-9.]", "", version).split(".") if part]
