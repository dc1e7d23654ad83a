"""From policies to the one state of a device: pure."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pupitre.devices.rules import Level, Platform
from pupitre.devices.rules.compiling import Assigned, compile_document
from pupitre.devices.rules.composing import NOTHING, Layer, compose, layer_of, version_of

KEYS = ("camera", "bluetooth", "mobile_data")
SETTINGS = st.dictionaries(st.sampled_from(KEYS), st.booleans(), max_size=3)
WIFI = st.lists(st.sampled_from(["school", "guest", "lab"]), unique=True).map(
    lambda names: [{"ssid": name, "security": "open"} for name in names]
)


@st.composite
def assigned(draw: st.DrawFn, number: int) -> Assigned:
    settings: dict[str, Any] = draw(SETTINGS)
    if draw(st.booleans()):
        settings["wifi"] = draw(WIFI)
    return Assigned(
        assignment_id=number,
        policy_id=100 + number,
        policy=f"Policy {number}",
        settings=settings,
        locked=frozenset(draw(st.sets(st.sampled_from(sorted(settings))) if settings else st.just(set()))),
        rank=draw(st.integers(0, 2)),
        platform=draw(st.sampled_from([None, 1, 3])),
        is_wider=draw(st.booleans()),
    )


ASSIGNED = st.integers(0, 5).flatmap(lambda n: st.tuples(*(assigned(number) for number in range(1, n + 1))))
#: Authority, school, two classes, a person, a device: what a chain can have.
CHAIN = ((1, 1), (2, 4), (3, 7), (3, 9), (4, 2), (5, 3))


@st.composite
def chains(draw: st.DrawFn) -> list[Layer]:
    return [
        layer_of(
            {"level": level, "whom": whom, "revision": revision, "document": compile_document(draw(ASSIGNED))}
        )
        for revision, (level, whom) in enumerate(CHAIN, start=16)
        if draw(st.booleans())
    ]


@given(ASSIGNED.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_assignments_is_no_matter(drawn: tuple[tuple[Assigned, ...], list[Assigned]]) -> None:
    assert compile_document(drawn[0]) == compile_document(drawn[1])


@given(chains().flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_layers_is_no_matter(drawn: tuple[list[Layer], list[Layer]]) -> None:
    for platform in (None, Platform.ANDROID, Platform.LINUX):
        assert compose(drawn[0], platform) == compose(drawn[1], platform)


@given(chains())
def test_what_a_wider_level_locks_no_narrower_changes(layers: list[Layer]) -> None:
    for platform in (Platform.ANDROID, Platform.LINUX):
        whole = compose(layers, platform)
        for level in Level:
            wide = compose([layer for layer in layers if layer.level <= level], platform)
            for key, one in wide.applied.items():
                if one.is_locked:
                    assert whole.applied[key].value == one.value


@given(chains())
def test_of_what_is_not_locked_the_narrowest_word_holds(layers: list[Layer]) -> None:
    desired = compose(layers, Platform.LINUX)
    assert "mobile_data" not in desired.settings  # Android's alone
    for key, one in desired.applied.items():
        narrower = [
            layer
            for layer in layers
            if layer.level > one.level
            and (key in layer.settings or key in layer.platforms.get(3, layer).settings)
        ]
        assert not narrower or one.is_locked


@given(chains(), st.integers(0, 5))
def test_the_version_changes_exactly_with_a_layer(layers: list[Layer], which: int) -> None:
    version = version_of(layers)
    assert compose(layers, Platform.ANDROID).version == version
    assert (version == NOTHING) == (not layers)
    for number, layer in enumerate(layers):
        changed = Layer(layer.level, layer.whom, layer.revision + 1000 + which, settings=layer.settings)
        assert version_of([*layers[:number], changed, *layers[number + 1 :]]) != version
        assert version_of([*layers[:number], *layers[number + 1 :]]) != version


def of(number: int, settings: dict[str, Any], **facts: Any) -> Assigned:
    return Assigned(number, 100 + number, f"Policy {number}", settings, **facts)


def layer(level: Level, whom: int, *words: Assigned, schedule: tuple[dict[str, Any], ...] = ()) -> Layer:
    document = compile_document(words, schedule)
    return layer_of({"level": level, "whom": whom, "revision": whom, "document": document})


def test_within_a_level_the_higher_rank_holds_also_between_classes() -> None:
    first = layer(Level.GROUP, 7, of(1, {"camera": True}, rank=5))
    second = layer(Level.GROUP, 9, of(2, {"camera": False}))
    assert compose([first, second], None).applied["camera"].policy == "Policy 1"
    assert compose([first, second], None).applied["camera"].overridden == ((Level.GROUP, "Policy 2"),)


def test_what_an_authority_locks_in_a_school_the_school_cannot_outrank() -> None:
    words = [
        of(1, {"camera": False}, locked=frozenset({"camera"}), is_wider=True),
        of(2, {"camera": True}, rank=50),
        of(3, {"camera": True}, rank=50, platform=Platform.ANDROID),
    ]
    desired = compose([layer(Level.SCHOOL, 4, *words)], Platform.ANDROID)
    assert desired.settings["camera"] is False


def test_networks_of_several_levels_add_up() -> None:
    wide = layer(Level.AUTHORITY, 1, of(1, {"wifi": [{"ssid": "school", "security": "open"}]}))
    narrow = layer(
        Level.SCHOOL,
        4,
        of(2, {"wifi": [{"ssid": "school", "security": "wpa3"}, {"ssid": "lab", "security": "open"}]}),
    )
    assert [(one["ssid"], one["security"]) for one in compose([narrow, wide], None).settings["wifi"]] == [
        ("school", "wpa3"),
        ("lab", "open"),
    ]


def test_rules_of_the_week_leave_alone_what_is_locked_and_what_the_platform_lacks() -> None:
    week = {"id": "rule-1-1", "days": [1], "from": "09:00", "to": "10:00"}
    rules = (
        {**week, "settings": {"camera": True, "mobile_data": False, "bluetooth": False}},
        {**week, "id": "rule-2-1", "settings": {"mobile_data": False}},
    )
    wide = layer(Level.AUTHORITY, 1, of(1, {"camera": False}, locked=frozenset({"camera"})))
    group = layer(Level.GROUP, 7, schedule=rules)
    desired = compose([wide, group], Platform.LINUX)
    assert [entry["settings"] for entry in desired.schedule] == [{"bluetooth": False}]


def test_leases_are_laid_over_rules_whosever_class_they_are_of() -> None:
    lease = {
        "id": "lease-1",
        "starts_at": "2026-10-13T07:00:00Z",
        "ends_at": "2026-10-13T08:00:00Z",
        "settings": {"camera": True},
    }
    rule = {"id": "rule-1-1", "days": [2], "from": "09:00", "to": "10:00", "settings": {"camera": False}}
    desired = compose(
        [layer(Level.GROUP, 7, schedule=(lease,)), layer(Level.GROUP, 9, schedule=(rule,))], None
    )
    assert [entry["id"] for entry in desired.schedule] == ["rule-1-1", "lease-1"]
