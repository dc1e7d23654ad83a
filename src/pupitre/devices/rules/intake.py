"""Lists of devices as suppliers, makers and schools write them, read without asking for a format. Pure.

Columns are known by what people call them in six languages; a list of IMEI numbers for zero-touch enrolment and a
maker's hash list are read as they come. Whatever is wrong is told by its line, and then nothing is taken in.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from pupitre.courses.rules.countries.workbooks import UnreadableWorkbookError, first_sheet, is_workbook
from pupitre.courses.rules.dates import judge_column
from pupitre.courses.rules.tables import encoding_of
from pupitre.kernel.errors import Refused
from pupitre.kernel.text import fold

from . import Platform
from .fleet import plain_serial

MOST_BYTES: Final = 8 * 1024 * 1024
MOST_ROWS: Final = 5000
_CELL: Final = 120


class Column(StrEnum):
    """What a column of a list says."""

    SERIAL = "serial"
    IMEI = "imei"
    TAG = "asset_tag"
    NAME = "name"
    MAKER = "maker"
    MODEL = "model"
    PLATFORM = "platform"
    WARRANTY = "warranty_until"
    PERSON = "person"
    CLASS = "class"


#: What the columns are called, folded: English, Spanish, Catalan, French, German, Portuguese, and makers' own words.
NAMES: Final[Mapping[Column, tuple[str, ...]]] = {
    Column.SERIAL: (
        *(
            "serial",
            "serial number",
            "serial no",
            "serialnumber",
            "s/n",
            "sn",
            "device serial number",
            "service tag",
        ),
        *(
            "numero de serie",
            "n. serie",
            "n.o de serie",
            "no de serie",
            "num serie",
            "n serie",
            "serie",
            "numero serie",
        ),
        *(
            "seriennummer",
            "serien-nr",
            "serien nr",
            "geratenummer",
            "nombre de serie",
            "n° de serie",
            "n° serie",
        ),
    ),
    Column.IMEI: (
        "imei",
        "imei1",
        "imei 1",
        "meid",
        "modemid",
        "modem id",
        "imei/meid",
        "numero imei",
        "imei-nummer",
    ),
    Column.TAG: (
        *("asset tag", "assettag", "asset", "inventory number", "inventory no", "tag", "label"),
        *("etiqueta", "inventario", "numero de inventario", "n. inventario", "codigo de inventario"),
        *("inventari", "numero d'inventari", "num inventari", "codi d'inventari"),
        *("inventaire", "numero d'inventaire", "etiquette", "n° d'inventaire"),
        *("inventarnummer", "inventar-nr", "inventar nr", "numero de inventario"),
    ),
    Column.NAME: (
        *(
            "name",
            "device name",
            "hostname",
            "nombre",
            "nombre del dispositivo",
            "nombre equipo",
            "nom",
            "nom de l'equip",
        ),
        *("nom du poste", "nom de l'appareil", "gerätename", "geratename", "nome", "nome do equipamento"),
    ),
    Column.MAKER: (
        *(
            "maker",
            "manufacturer",
            "brand",
            "make",
            "fabricante",
            "marca",
            "fabricant",
            "marque",
            "constructeur",
        ),
        *("hersteller", "marke"),
    ),
    Column.MODEL: (
        *(
            "model",
            "product",
            "description",
            "modelo",
            "producto",
            "descripcion",
            "model name",
            "descripcio",
            "producte",
        ),
        *(
            "modele",
            "produit",
            "designation",
            "modell",
            "produkt",
            "bezeichnung",
            "produto",
            "descricao",
            "part number",
        ),
    ),
    Column.PLATFORM: (
        *(
            "platform",
            "system",
            "os",
            "operating system",
            "type",
            "plataforma",
            "sistema",
            "sistema operativo",
            "tipo",
        ),
        *("sistema operatiu", "tipus", "plate-forme", "plateforme", "systeme", "systeme d'exploitation"),
        *("betriebssystem", "plattform", "typ"),
    ),
    Column.WARRANTY: (
        *(
            "warranty",
            "warranty until",
            "warranty end",
            "warranty expiry",
            "garantia",
            "garantia hasta",
            "fin de garantia",
        ),
        *(
            "garantia fins",
            "fi de garantia",
            "garantie",
            "fin de garantie",
            "garantie jusqu'au",
            "garantie bis",
        ),
        *("garantieende", "garantia ate", "fim da garantia", "vencimiento garantia"),
    ),
    Column.PERSON: (
        *(
            "person",
            "user",
            "username",
            "pupil",
            "student",
            "student id",
            "pupil id",
            "sourcedid",
            "assigned to",
        ),
        *(
            "usuario",
            "alumno",
            "alumna",
            "asignado a",
            "id alumno",
            "usuari",
            "alumne",
            "assignat a",
            "utilisateur",
            "eleve",
        ),
        *(
            "affecte a",
            "benutzer",
            "schuler",
            "schueler",
            "zugewiesen an",
            "utilizador",
            "aluno",
            "atribuido a",
        ),
    ),
    Column.CLASS: (
        "class",
        "form",
        "group",
        "clase",
        "grupo",
        "curso",
        "grup",
        "classe",
        "klasse",
        "gruppe",
        "turma",
    ),
}
_PLATFORMS: Final[Mapping[str, Platform]] = {
    "android": Platform.ANDROID,
    "galaxy tab": Platform.ANDROID,
    "windows": Platform.WINDOWS,
    "linux": Platform.LINUX,
    "ubuntu": Platform.LINUX,
    "debian": Platform.LINUX,
    "ipados": Platform.IOS,
    "ipad": Platform.IOS,
    "iphone": Platform.IOS,
    "ios": Platform.IOS,
    "macbook": Platform.MACOS,
    "macos": Platform.MACOS,
    "imac": Platform.MACOS,
    "chromeos": Platform.CHROMEOS,
    "chrome os": Platform.CHROMEOS,
    "chromebook": Platform.CHROMEOS,
}


class Trouble(StrEnum):
    """What is wrong with a line."""

    NO_SERIAL = "no-serial"
    TWICE = "twice"
    PLATFORM = "platform"
    DATE = "date"
    PERSON = "person"
    CLASS = "class"
    RETIRED = "retired"
    LENT = "lent"
    WAITS = "waits"


#: These are told and do not forbid taking the list in.
HARMLESS: Final = frozenset({Trouble.RETIRED, Trouble.LENT, Trouble.WAITS})


class UnreadableList(Refused):
    """This file cannot be read as a list. Save it as CSV or .xlsx and choose it again."""


class NoSerialColumn(Refused):
    """No column of this list is called serial number or IMEI. Its first line must name the columns."""


class TooManyDevices(Refused):
    """This list has more than 5000 lines. Divide it."""


class EmptyList(Refused):
    """There is no device in this list."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list. `person` and `klass` are as they are written; None of `platform` is not told."""

    line: int
    serial: str = ""
    imei: str = ""
    asset_tag: str = ""
    name: str = ""
    maker: str = ""
    model: str = ""
    platform: Platform | None = None
    warranty_until: date | None = None
    person: str = ""
    klass: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a line; `value` is what stands there."""

    line: int
    trouble: Trouble
    value: str = ""

    @property
    def forbids(self) -> bool:
        return self.trouble not in HARMLESS


@dataclass(frozen=True, slots=True)
class DeviceList:
    """A list that was read: its devices, what was found, and which columns were understood or left aside."""

    devices: tuple[Listed, ...]
    findings: tuple[Finding, ...]
    columns: Mapping[Column, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def read_list(name: str, data: bytes) -> DeviceList:
    """Read a CSV or .xlsx file. Raises UnreadableList, NoSerialColumn, TooManyDevices or EmptyList."""
    if len(data) > MOST_BYTES:
        raise TooManyDevices
    rows = _rows(name, data)
    places, head, start = _columns(rows)
    body = rows[start:]
    if len(body) > MOST_ROWS:
        raise TooManyDevices
    if not body:
        raise EmptyList
    findings: list[Finding] = []
    dates = judge_column(
        (_cell(cells, places.get(Column.WARRANTY)) for _, cells in body), chosen="", usual="dmy"
    )
    devices = []
    for line, cells in body:
        told = {column: _cell(cells, place) for column, place in places.items()}
        warranty = dates.read(told.get(Column.WARRANTY, "")) if told.get(Column.WARRANTY) else None
        devices.append(_listed(line, told, warranty, findings))
    _find_twice(devices, findings)
    ignored = tuple(word for place, word in enumerate(head) if word.strip() and place not in places.values())
    columns = {column: head[place] for column, place in places.items()}
    return DeviceList(tuple(devices), tuple(sorted(findings, key=lambda one: one.line)), columns, ignored)


def _rows(name: str, data: bytes) -> list[tuple[int, list[str]]]:
    if is_workbook(name, data):
        try:
            return first_sheet(data)
        except UnreadableWorkbookError:
            raise UnreadableList from None
    if b"\0" in data[:2000] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableList
    text = data.decode(encoding_of(data), "replace").replace("\0", "")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(";,\t|", key=first.count)
    try:
        found = list(enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), start=1))
    except csv.Error:
        raise UnreadableList from None
    return [(line, cells) for line, cells in found if any(cell.strip() for cell in cells)]


def _columns(rows: Sequence[tuple[int, list[str]]]) -> tuple[dict[Column, int], list[str], int]:
    """Where the columns are, their heading, and where the devices begin. A title may stand above the heading."""
    known = {_plain(name): column for column, names in NAMES.items() for name in names}
    for start, (_line, cells) in enumerate(rows[:15]):
        places: dict[Column, int] = {}
        for place, cell in enumerate(cells):
            column = known.get(_plain(cell))
            if column is not None:
                places.setdefault(column, place)
        if Column.SERIAL in places or Column.IMEI in places:
            return places, [cell.strip()[:_CELL] for cell in cells], start + 1
    raise NoSerialColumn


def _plain(heading: str) -> str:
    return " ".join(fold(heading).replace(".", " ").replace("_", " ").replace("’", "'").strip(" :*#").split())


def _cell(cells: Sequence[str], place: int | None) -> str:
    if place is None or place >= len(cells):
        return ""
    return " ".join(cells[place].split())[:_CELL]


def _listed(line: int, told: Mapping[Column, str], warranty: date | None, findings: list[Finding]) -> Listed:
    serial, imei = plain_serial(told.get(Column.SERIAL, "")), _imei(told.get(Column.IMEI, ""))
    if not serial and not imei:
        findings.append(Finding(line, Trouble.NO_SERIAL))
    if told.get(Column.WARRANTY) and warranty is None:
        findings.append(Finding(line, Trouble.DATE, told[Column.WARRANTY]))
    named = told.get(Column.PLATFORM, "")
    platform = platform_of(named) or platform_of(f"{told.get(Column.MODEL, '')} {told.get(Column.MAKER, '')}")
    if named and platform is None:
        findings.append(Finding(line, Trouble.PLATFORM, named))
    return Listed(
        line,
        serial,
        imei,
        told.get(Column.TAG, ""),
        told.get(Column.NAME, ""),
        told.get(Column.MAKER, ""),
        told.get(Column.MODEL, ""),
        platform,
        warranty,
        told.get(Column.PERSON, ""),
        told.get(Column.CLASS, ""),
    )


def _imei(told: str) -> str:
    """Spreadsheets like to write numbers of fifteen digits with an exponent or a fraction."""
    digits = "".join(letter for letter in told.removesuffix(".0") if letter.isalnum())
    return digits.upper()[:20]


def platform_of(words: str) -> Platform | None:
    """The system that these words of a list speak of."""
    folded = fold(words)
    return next((platform for word, platform in _PLATFORMS.items() if word in folded), None)


def _find_twice(devices: Iterable[Listed], findings: list[Finding]) -> None:
    seen: set[str] = set()
    for one in devices:
        for key in (f"s{one.serial}" if one.serial else "", f"i{one.imei}" if one.imei else ""):
            if key and key in seen:
                findings.append(Finding(one.line, Trouble.TWICE, key[1:]))
            seen.add(key)
