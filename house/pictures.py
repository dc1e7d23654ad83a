"""Take the README's pictures: the real pages of the demonstration, on a phone and on a desk, by day and by night.

    python -m house.pictures

Starts the product with the demonstration in a folder of its own, signs in as its people, and writes `docs/pictures/*.png`.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from house import chromium

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: whose page, where, and how wide."""

    name: str
    persona: str
    path: str
    phone: bool = False
    dark: bool = False
    language: str = "en"


# A persona is found by the beginning of its title as `pupitre up` prints it. {school} is where it lands after sign-in.
PICTURES_WANTED = (
    Picture("register-phone", "Teacher", "{register}", phone=True),
    Picture("register-phone-dark", "Teacher", "{register}", phone=True, dark=True, language="ca"),
    Picture("family-phone", "Mother", "/family", phone=True, language="es"),
    Picture("board", "Secretary", "/s/{school}/board"),
    Picture("timetable", "Teacher", "/s/{school}/timetable", language="fr"),
    Picture("statistics", "Head", "/s/{school}/attendance/statistics", dark=True, language="de"),
)


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with running() as (address, personas), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
        for wanted in PICTURES_WANTED:
            take(browser, address, personas, wanted)
            print(f"docs/pictures/{wanted.name}.png")
        browser.close()
    return 0


@contextmanager
def running() -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """The product with the demonstration; yields its address and the sign-ins that it prints."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pupitre-pictures-", dir=ROOT / "var") as folder:
        environment = {**os.environ, "PUPITRE_DATA_DIR": folder, "PUPITRE_PORT": str(port), "COLUMNS": "160"}
        command = [sys.executable, "-m", "pupitre.project.cli", "up"]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield f"http://localhost:{port}", _sign_ins(process)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _sign_ins(process: "subprocess.Popen[str]") -> dict[str, tuple[str, str]]:
    """Title -> user name and password, from the lines that `pupitre up` prints until it is ready."""
    assert process.stdout is not None
    found: dict[str, tuple[str, str]] = {}
    for line in process.stdout:
        columns = re.split(r"\s{2,}", line.strip())
        if len(columns) >= 3:
            found[columns[0]] = (columns[1], columns[2])
        if "Ctrl-C" in line:
            return found
    raise RuntimeError("the product did not start")


def take(browser: Browser, address: str, personas: dict[str, tuple[str, str]], wanted: Picture) -> None:
    size = {"width": 390, "height": 844} if wanted.phone else {"width": 1440, "height": 900}
    context = browser.new_context(
        base_url=address,
        viewport=size,  # type: ignore[arg-type]
        device_scale_factor=2 if wanted.phone else 1,
        has_touch=wanted.phone,
        color_scheme="dark" if wanted.dark else "light",
        locale=wanted.language,
    )
    page = context.new_page()
    title = next(title for title in personas if title.startswith(wanted.persona))
    sign_in(page, *personas[title])
    page.goto(resolved(page, wanted.path))
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{wanted.name}.png")
    context.close()


def sign_in(page: Page, username: str, password: str) -> None:
    page.goto("/account/login/")
    page.locator("input[name=login]").fill(username)
    page.locator("input[name=password]").fill(password)
    page.locator("form:has(input[name=password]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/account/login" not in url)


def resolved(page: Page, path: str) -> str:
    """The path with the persona's school, or the register that its day opens on."""
    school = re.search(r"/s/([\w-]+)/", page.url)
    if path == "{register}":
        if "/registers/" not in page.url:
            page.locator("a[href*='/registers/']").first.click()
            page.wait_for_url("**/registers/**")
        return page.url
    return path.format(school=school.group(1) if school else "")


if __name__ == "__main__":
    sys.exit(main())
