"""A real second OpenID provider (npm's certified oidc-provider), and a person who signs in there without a browser."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from house import islands

FOLDER = Path(__file__).parent / "provider"
CLIENT_ID, SECRET = "pupitre", "a secret that only the two houses know"
_STARTS_WITHIN = 20.0
_STEPS = 12


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def second_provider(port: int, redirect_uri: str, people: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Runs it with one client and these people (id -> claims); yields its issuer. Skips where npm cannot be asked."""
    try:
        islands.install(FOLDER, "a second OpenID provider")
    except islands.NotCheckedError as error:
        pytest.skip(str(error))
    issuer = f"http://127.0.0.1:{port}"
    client = {"client_id": CLIENT_ID, "client_secret": SECRET, "redirect_uris": [redirect_uri]}
    environment = {
        **os.environ,
        "NODE_NO_WARNINGS": "1",
        "ISSUER": issuer,
        "PORT": str(port),
        "CLIENT": json.dumps(client),
        "PEOPLE": json.dumps(people),
    }
    command = [str(islands.node_program()), str(FOLDER / "provider.mjs")]
    running = subprocess.Popen(
        command, cwd=FOLDER, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        _wait_for(f"{issuer}/.well-known/openid-configuration", running)
        yield issuer
    finally:
        running.terminate()
        running.communicate(timeout=10)


def _wait_for(url: str, running: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < until and running.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"the second provider does not answer: {running.communicate(timeout=5)}")


def sign_in_there(start: str, name: str, *, until: str) -> str:
    """Follow the redirects and fill in the forms there as that person; answers the address below `until` one is sent to."""
    with requests.Session() as browser:
        answer = browser.get(start, allow_redirects=False)
        for _step in range(_STEPS):
            if "Location" in answer.headers:
                where = urljoin(answer.url, answer.headers["Location"])
                if where.startswith(until):
                    return where
                answer = browser.get(where, allow_redirects=False)
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            assert action, answer.text
            kind = re.search(r'name="prompt" value="(\w+)"', answer.text)
            sent = {"prompt": kind[1] if kind else "", "login": name, "password": "any"}
            answer = browser.post(urljoin(answer.url, action[1]), sent, allow_redirects=False)
    raise AssertionError(f"no way back: {urlsplit(answer.url).path}")
