"""Where a device is nobody asks, keeps or passes on."""

import json

from django.apps import apps

from pupitre.devices.rules.headwind.reading import device_info
from pupitre.devices.rules.settings import SETTINGS
from pupitre.edge.gateway.agent_wire import read_check_in

WORDS = ("latitude", "longitude", "location", "altitude", "gps", "geo_", "position", "whereabouts")
#: Coordinates that occur nowhere else.
PLACE = {"lat": 41.98765, "lon": 2.81234, "ts": 1760000000000}


def names_a_place(text: str) -> bool:
    return any(word in text.lower() for word in WORDS)


def test_no_column_of_the_fleet_could_hold_a_location() -> None:
    columns = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("devices").get_models()
        for field in model._meta.get_fields()
    ]
    assert len(columns) > 100
    assert [one for one in columns if names_a_place(one)] == []


def test_no_setting_asks_for_one() -> None:
    said = [f"{key}.{field}" for key, one in SETTINGS.items() for field in ("", *one.fields)]
    assert [one for one in said if names_a_place(one)] == []


def test_what_headwinds_agent_sends_of_it_is_dropped_unread() -> None:
    body = {"deviceId": "t-1", "batteryLevel": 81, "location": PLACE, "custom1": "", "latitude": 41.98765}
    assert "41.98765" not in repr(device_info(json.dumps(body).encode()))
    assert "2.81234" not in repr(device_info(json.dumps(body).encode()))


def test_what_an_own_agent_sends_of_it_is_dropped_unread() -> None:
    body = {"battery": 81, "location": PLACE, "latitude": 41.98765}
    told = read_check_in(json.dumps(body).encode())
    assert told.battery == 81
    assert "41.98765" not in repr(told)
