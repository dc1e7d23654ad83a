"""How the gateway says that it runs, and what the doctor makes of it."""

from pathlib import Path

from pupitre.kernel import config
from pupitre.project import doctor

from .arranging import Machine, Place, Running


def _config(place: Place, port: int) -> config.Config:
    return config.load({"PUPITRE_DATA_DIR": str(place.folder), "PUPITRE_GATEWAY_PORT": str(port)})


def test_the_doctor_finds_it(place: Place, running: Running) -> None:
    found = list(doctor._gateway_lines(_config(place, running.port)))
    assert [line.verdict for line in found] == ["ok"]
    assert f":{running.port}" in found[0].found


def test_the_doctor_misses_it(place: Place) -> None:
    found = list(doctor._gateway_lines(_config(place, 1)))
    assert [line.verdict for line in found] == ["warn"]
    assert "pupitre gateway" in found[0].mend


def test_it_says_what_it_holds(place: Place, running: Running, machine: Machine) -> None:
    machine.check_in()
    assert running.ready()["devices"] >= 1
    assert running.ask("GET", "/health/live").json() == {"alive": True}


def test_it_wakes_no_django(running: Running) -> None:
    maps = Path(f"/proc/{running.process.pid}/maps")
    if maps.exists():
        assert "psycopg" not in maps.read_text(), "what the pages connect by is not loaded"


def test_it_stops_when_told(place: Place) -> None:
    from .arranging import gateway

    with gateway(place) as found:
        found.process.terminate()
        found.process.wait(8)
        assert found.process.returncode is not None
