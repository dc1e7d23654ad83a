"""Lists of devices: read whatever they call their columns, looked at by line, all or nothing, twice the same as once."""

import io
from datetime import date

import pytest
import xlsxwriter

from pupitre.devices.actions import intake
from pupitre.devices.models import Delivery, Device, DeviceEvent
from pupitre.devices.rules import Platform, Standing
from pupitre.devices.rules.intake import (
    Column,
    EmptyList,
    NoSerialColumn,
    Trouble,
    UnreadableList,
    read_list,
)
from pupitre.kernel.errors import Denied
from pupitre.people.rules import system_actor
from pupitre.tenancy.scoping import scope
from tests.cast import Cast
from tests.conftest import Visitor
from tests.devices.fleet import let_in, taken_in

NOTE = (
    "Albarán 4711\n\nN.º de serie;Etiqueta;Fabricante;Modelo;Garantía hasta;Alumno;Grupo\n"
    "r52x 0001;T-1;Samsung;Galaxy Tab A9;31/08/2029;pupil;1A\nR52X0002;T-2;Samsung;Galaxy Tab A9;31/08/2029;;1A\n"
)
HEADINGS = {
    "Serial number,Asset tag": {Column.SERIAL, Column.TAG},
    "Número de serie;Número de inventario;Sistema operativo": {Column.SERIAL, Column.TAG, Column.PLATFORM},
    "Núm. sèrie;Número d'inventari": {Column.SERIAL, Column.TAG},
    "Numéro de série;Numéro d’inventaire;Modèle": {Column.SERIAL, Column.MODEL},
    "Seriennummer;Inventarnummer;Hersteller;Klasse": {Column.SERIAL, Column.TAG, Column.MAKER, Column.CLASS},
    "Número de série;Marca;Turma;Aluno": {Column.SERIAL, Column.MAKER, Column.CLASS, Column.PERSON},
    "modemtype,modemid,manufacturer,profiletype": {Column.IMEI, Column.MAKER},
    "Device Serial Number,Windows Product ID,Hardware Hash": {Column.SERIAL},
}


@pytest.mark.parametrize("heading", HEADINGS)
def test_columns_are_known_in_every_language(heading: str) -> None:
    cells = heading.replace(";", ",").count(",") + 1
    line = ";".join(["356938035643809"] * cells) if ";" in heading else ",".join(["356938035643809"] * cells)
    found = set(read_list("list.csv", f"{heading}\n{line}\n".encode()).columns)
    assert HEADINGS[heading] <= found


def test_a_workbook_is_read_as_a_table_is() -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    for row, cells in enumerate([["Seriennummer", "IMEI"], ["abc1", "356938035643809"]]):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell)
    book.close()
    (one,) = read_list("list.xlsx", file.getvalue()).devices
    assert (one.serial, one.imei) == ("ABC1", "356938035643809")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"name,model\na,b\n", NoSerialColumn),
        (b"serial\n", EmptyList),
        (b"", NoSerialColumn),
        (b"\x00\x01\x02\x03" * 40, UnreadableList),
        (b"PK\x03\x04 no workbook", UnreadableList),
    ],
)
def test_what_is_no_list_is_said(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_list("list.xlsx", data)


def test_a_technician_takes_a_delivery_in(cast: Cast) -> None:
    with scope(cast.school.id):
        delivery, found = taken_in(cast.technician.actor, NOTE, supplier="Tablets Ltd")
        assert (found.new, found.errors) == (2, 0)
        assert delivery.supplier == "Tablets Ltd"
        first, second = Device.objects.order_by("serial")
        assert (first.serial, first.asset_tag, first.maker) == ("R52X0001", "T-1", "Samsung")
        assert (first.standing, first.warranty_until) == (Standing.EXPECTED.value, date(2029, 8, 31))
        assert first.holder_id == cast.pupil.person.pk
        assert first.groups == sorted([cast.homeroom.pk, cast.klass.pk])
        assert second.groups == [cast.homeroom.pk]
        assert first.number != second.number
        kinds = list(DeviceEvent.objects.filter(device=first).order_by("id").values_list("kind", flat=True))
        assert kinds == ["expected", "assigned"]


def test_the_same_list_again_changes_nothing(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_in(cast.technician.actor, NOTE)
        before = list(Device.objects.order_by("id").values())
        delivery, found = taken_in(cast.technician.actor, NOTE)
        assert delivery is None
        assert (found.new, found.changed, found.same) == (0, 0, 2)
        assert list(Device.objects.order_by("id").values()) == before
        assert Delivery.objects.count() == 1


def test_what_a_list_says_anew_is_brought_up_to_date(cast: Cast) -> None:
    with scope(cast.school.id):
        taken_in(cast.technician.actor, NOTE)
        let_in(cast, ["R52X0001"])
        _, found = taken_in(cast.technician.actor, "serial,asset tag\nR52X0001,T-900\nR52X0003,T-3\n")
        assert (found.new, found.changed, found.same) == (1, 1, 0)
        changed = Device.objects.get(serial="R52X0001")
        assert (changed.asset_tag, changed.model, changed.standing) == ("T-900", "Galaxy Tab A9", 3)
        assert "t-900" in changed.search_key


def test_a_list_with_an_error_is_refused_whole(cast: Cast) -> None:
    text = "serial,pupil,class,warranty\nA1,nobody,1A,\nA1,,7Z,someday\n,,,\nA2,,,\n"
    with scope(cast.school.id):
        found = intake.judged(
            cast.technician.actor,
            read_list("x.csv", text.encode()),
            platform=Platform.ANDROID,
            today=date(2026, 10, 13),
        )
        told = {(one.line, one.trouble) for line in found.lines for one in line.findings}
        assert {(2, Trouble.PERSON), (3, Trouble.TWICE), (3, Trouble.CLASS), (3, Trouble.DATE)} <= told
        with pytest.raises(intake.ListHasErrors):
            taken_in(cast.technician.actor, text)
        assert not Device.objects.exists()


def test_who_may_not(cast: Cast) -> None:
    for member in (cast.teacher, cast.pupil, cast.mother):
        with scope(cast.school.id), pytest.raises(Denied):
            taken_in(member.actor, NOTE)


def test_the_page_shows_each_line_and_takes_in_what_was_looked_at(cast: Cast, visit: Visitor) -> None:
    browser = visit.as_(cast.technician)
    upload = io.BytesIO(NOTE.encode("cp1252"))
    upload.name = "albaran.csv"
    preview = browser.post("/s/oak/devices/deliveries", {"file": upload, "platform": "1"})
    assert preview.status_code == 200
    shown = preview.content.decode()
    assert "R52X0001" in shown
    assert "Pau Pupil" in shown
    with scope(cast.school.id):
        assert not Device.objects.exists()
    sealed = shown.split('name="sealed" value="')[1].split('"')[0]
    answer = browser.post("/s/oak/devices/deliveries/intake", {"sealed": sealed, "name": "Autumn"})
    assert answer.status_code == 303
    listed = browser.get("/s/oak/devices/deliveries").content.decode()
    assert "Autumn" in listed
    assert "T-1" in browser.get("/s/oak/devices/list").content.decode()


def test_a_preview_of_another_school_is_worth_nothing(cast: Cast, visit: Visitor) -> None:
    with scope(cast.school.id):
        sealed = intake.seal(
            cast.technician.actor, read_list("x.csv", b"serial\nA1\n"), platform=Platform.ANDROID
        )
    browser = visit.as_(cast.technician)
    tampered = sealed[:-1] + ("A" if sealed[-1] != "A" else "B")
    assert browser.post("/s/oak/devices/deliveries/intake", {"sealed": tampered}).status_code == 409
    with scope(cast.other_school.id), pytest.raises(intake.PreviewEnded):
        intake.unseal(system_actor(cast.other_school), sealed)


def test_a_list_with_errors_offers_nothing_to_take_in(cast: Cast, visit: Visitor) -> None:
    upload = io.BytesIO(b"serial,class\nA1,7Z\n")
    upload.name = "x.csv"
    shown = visit.as_(cast.secretary).post("/s/oak/devices/deliveries", {"file": upload}).content.decode()
    assert "The school has no class of this title." in shown
    assert 'name="sealed"' not in shown
    empty = visit.as_(cast.secretary).post("/s/oak/devices/deliveries", {})
    assert empty.status_code == 422
