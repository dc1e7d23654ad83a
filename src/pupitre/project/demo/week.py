"""A solved week: every lesson of every class with its day, period and room, and nobody in two places at once.

The solver places one lesson after another, the hardest first, each where it hurts least. Where no hour is free it takes
the one whose present lessons are easiest to place again, puts those back in the queue and forbids the swap for a while.
The groups' weeks are full to the last hour, so it is this repair that does the work. Every random choice is drawn from
the population's seed.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from pupitre.project.demo import schools
from pupitre.project.demo.roster import Bell, Block, Population, Room, SchoolClass

_PATIENCE = 60_000
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Lesson:
    """A class at its hour of every week; `weekday` is 1 for Monday, `period` the number of the bell's lesson."""

    key: str
    school_key: str
    class_key: str
    teacher_key: str
    room_key: str
    weekday: int
    period: int


@dataclass(frozen=True, slots=True)
class Week:
    """The timetable of all schools: rooms, bells by school, lessons in order of school, day and period."""

    rooms: tuple[Room, ...]
    bells: dict[str, Bell]
    lessons: tuple[Lesson, ...]

    def at(self, school_key: str, weekday: int, period: int) -> tuple[Lesson, ...]:
        """The lessons of a school at an hour of the week."""
        return tuple(
            lesson
            for lesson in self.lessons
            if lesson.school_key == school_key and lesson.weekday == weekday and lesson.period == period
        )

    def hours_of(self, teacher_key: str) -> frozenset[tuple[int, int]]:
        """The (weekday, period) pairs at which somebody teaches, in any school."""
        return frozenset(
            (lesson.weekday, lesson.period) for lesson in self.lessons if lesson.teacher_key == teacher_key
        )


@dataclass(slots=True)
class _Event:
    """One lesson of a block still to be placed: what it occupies, and the slots where it may stand."""

    block: Block
    resources: tuple[int, ...]
    teachers: tuple[int, ...]
    kinds: tuple[tuple[str, int], ...]
    slots: tuple[int, ...]
    spread: int
    daily: int
    slot: int = -1
    moved: int = 0
    barred: dict[int, int] = field(default_factory=dict)


class _Solver:
    """One school's week. A slot is `day * per_day + period - 1`, days counted from 0."""

    def __init__(
        self, population: Population, school_key: str, bell: Bell, rooms: tuple[Room, ...], rng: random.Random
    ) -> None:
        self.population, self.school_key, self.bell, self.rng = population, school_key, bell, rng
        self.per_day = max(bell.last_lesson.values())
        self.capacity: dict[str, int] = defaultdict(int)
        for room in rooms:
            self.capacity[room.kind] += 1
        self.blocks = [block for block in population.blocks if block.school_key == school_key]
        self.numbers: dict[str, int] = {}
        self.events = self._events()
        self._clear()

    def _clear(self) -> None:
        slots = 5 * self.per_day
        self.busy: list[list[int]] = [[-1] * slots for _ in self.numbers]
        self.held: dict[str, list[list[int]]] = {kind: [[] for _ in range(slots)] for kind in self.capacity}
        self.of_day: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.teacher_day: dict[tuple[int, int], int] = defaultdict(int)
        for event in self.events:
            event.slot, event.moved, event.barred = -1, 0, {}

    def _number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))

    def _events(self) -> list[_Event]:
        hours: dict[str, int] = defaultdict(int)
        weekly: dict[str, int] = defaultdict(int)
        for block in self.blocks:
            weekly[self._spread_key(block)] += block.lessons
            for group in block.group_keys:
                hours[group] += block.lessons
        spreads = {key: number for number, key in enumerate(weekly)}
        events: list[_Event] = []
        for block in self.blocks:
            key = self._spread_key(block)
            event = self._event(block, hours, spreads[key], -(-weekly[key] // 5))
            events.extend(
                _Event(
                    block,
                    event.resources,
                    event.teachers,
                    event.kinds,
                    event.slots,
                    event.spread,
                    event.daily,
                )
                for _ in range(block.lessons)
            )
        return events

    @staticmethod
    def _spread_key(block: Block) -> str:
        return f"{'+'.join(block.group_keys)}:{block.subject}"

    def _event(self, block: Block, hours: dict[str, int], spread: int, daily: int) -> _Event:
        classes = [self.population.classes[key] for key in block.class_keys]
        groups = tuple(self._number(key) for key in block.group_keys)
        teachers = tuple(self._number(one.teacher_key) for one in classes)
        kinds: dict[str, int] = defaultdict(int)
        for kind in wanted_kinds(block, classes):
            kinds[kind] += kind != ""
        away = frozenset[int]().union(
            *(
                self.population.unavailable.get((one.teacher_key, self.school_key), frozenset())
                for one in classes
            )
        )
        full = min(hours[key] for key in block.group_keys)
        slots = tuple(slot for slot in self._slots_of(full) if slot // self.per_day + 1 not in away)
        used = tuple((kind, count) for kind, count in kinds.items() if count)
        return _Event(block, groups + teachers, teachers, used, slots, spread, daily)

    def _slots_of(self, hours: int) -> Iterator[int]:
        """The slots of a group with so many lessons a week: the small children's day ends earlier."""
        for day in range(5):
            last = self.bell.last_lesson[day + 1]
            if hours < sum(self.bell.last_lesson.values()):
                last = min(last, -(-hours // 5))
            yield from range(day * self.per_day, day * self.per_day + last)

    # Placing and ejecting

    def solve(self) -> dict[tuple[str, int], list[Block]]:
        """The blocks at each (school, slot); raises LookupError where the plan leaves no solution within patience."""
        for _ in range(_ATTEMPTS):
            if self._attempt():
                return {(self.school_key, slot): self._blocks_at(slot) for slot in range(5 * self.per_day)}
            self._clear()
        raise LookupError(f"no timetable found for {self.school_key}")

    def _blocks_at(self, slot: int) -> list[Block]:
        return [event.block for event in self.events if event.slot == slot]

    def _attempt(self) -> bool:
        order = list(range(len(self.events)))
        self.rng.shuffle(order)
        order.sort(
            key=lambda at: (
                -len(self.events[at].slots),
                len(self.events[at].resources),
                len(self.events[at].kinds),
            )
        )
        for step in range(_PATIENCE):
            if not order:
                return True
            at = order.pop()
            slot, victims = self._best(at, step)
            for victim in victims:
                self._take_out(victim, step)
                order.append(victim)
            self._put_in(at, slot)
        return False

    def _best(self, at: int, step: int) -> tuple[int, set[int]]:
        """The slot that costs least, and what must leave it."""
        event = self.events[at]
        best, best_cost, best_victims = -1, float("inf"), set[int]()
        for slot in event.slots:
            victims = self._victims(event, slot)
            if victims and event.barred.get(slot, -1) > step:
                continue
            cost = self._comfort(event, slot) + self.rng.random()
            for victim in victims:
                cost += 20 + 4 * self.events[victim].moved
            if cost < best_cost:
                best, best_cost, best_victims = slot, cost, victims
        if best < 0:
            best = self.rng.choice(event.slots)
            best_victims = self._victims(event, best)
        return best, best_victims

    def _victims(self, event: _Event, slot: int) -> set[int]:
        victims = {self.busy[resource][slot] for resource in event.resources}
        victims.discard(-1)
        for kind, count in event.kinds:
            held = [other for other in self.held[kind][slot] if other not in victims]
            need = sum(self._uses(other, kind) for other in held) + count - self.capacity[kind]
            for other in sorted(held, key=lambda one: (self.events[one].moved, one)):
                if need <= 0:
                    break
                victims.add(other)
                need -= self._uses(other, kind)
        same = [other for other in self.of_day[event.spread, slot // self.per_day] if other not in victims]
        victims.update(same[: max(0, len(same) + 1 - event.daily)])
        return victims

    def _uses(self, at: int, kind: str) -> int:
        return next(count for name, count in self.events[at].kinds if name == kind)

    def _comfort(self, event: _Event, slot: int) -> float:
        """What is merely unpleasant: a teacher's crowded day, a subject's second lesson apart from the first."""
        day = slot // self.per_day
        cost = 0.6 * max(self.teacher_day[teacher, day] for teacher in event.teachers)
        for other in self.of_day[event.spread, day]:
            cost += -1.5 if abs(self.events[other].slot - slot) == 1 else 3
        return cost

    def _put_in(self, at: int, slot: int) -> None:
        event = self.events[at]
        event.slot = slot
        for resource in event.resources:
            self.busy[resource][slot] = at
        for kind, _ in event.kinds:
            self.held[kind][slot].append(at)
        self.of_day[event.spread, slot // self.per_day].append(at)
        for teacher in event.teachers:
            self.teacher_day[teacher, slot // self.per_day] += 1

    def _take_out(self, at: int, step: int) -> None:
        event = self.events[at]
        slot, day = event.slot, event.slot // self.per_day
        for resource in event.resources:
            self.busy[resource][slot] = -1
        for kind, _ in event.kinds:
            self.held[kind][slot].remove(at)
        self.of_day[event.spread, day].remove(at)
        for teacher in event.teachers:
            self.teacher_day[teacher, day] -= 1
        event.slot, event.moved = -1, event.moved + 1
        event.barred[slot] = step + 8 + self.rng.randrange(12)


def wanted_kinds(block: Block, classes: list[SchoolClass]) -> list[str]:
    """The kind of room of each class of the block; "" is the homeroom of one of its groups, while there are any."""
    homerooms, kinds = len(block.group_keys), []
    for one in classes:
        kind = one.room_kind
        if not kind and homerooms:
            homerooms -= 1
        elif not kind:
            kind = "small"
        kinds.append(kind)
    return kinds


def rooms_of(population: Population) -> tuple[Room, ...]:
    """The special rooms of the schools and a homeroom for each group."""
    plans = {plan.school.key: plan for plan in schools.plans()}
    homerooms = tuple(
        Room(
            f"{group.key}-room",
            group.school_key,
            f"{plans[group.school_key].words['room']} {group.title}",
            "homeroom",
            32,
        )
        for group in population.groups
    )
    return tuple(room for plan in plans.values() for room in plan.rooms) + homerooms


def solve_week(population: Population) -> Week:
    """The week of all schools, the same for the same population."""
    rooms = rooms_of(population)
    bells = {plan.school.key: plan.bell for plan in schools.plans()}
    lessons: list[Lesson] = []
    for school in population.schools:
        own = tuple(room for room in rooms if room.school_key == school.key)
        rng = random.Random(f"{population.seed}/{school.key}")  # noqa: S311
        solver = _Solver(population, school.key, bells[school.key], own, rng)
        solved = solver.solve()
        lessons.extend(_with_rooms(population, school.key, solved, own, solver.per_day))
    return Week(rooms, bells, tuple(lessons))


def _with_rooms(
    population: Population,
    school_key: str,
    solved: dict[tuple[str, int], list[Block]],
    rooms: tuple[Room, ...],
    per_day: int,
) -> Iterator[Lesson]:
    """Lessons with rooms: a class keeps to its room where that is free, and the larger class gets the better room."""
    usual: dict[str, str] = {}
    counts: dict[str, int] = defaultdict(int)
    for (_, slot), blocks in sorted(solved.items()):
        free: dict[str, list[str]] = defaultdict(list)
        for place in rooms:
            free[place.kind].append(place.key)
        for block in sorted(blocks, key=lambda block: block.key):
            classes = [population.classes[key] for key in block.class_keys]
            homerooms = [f"{key}-room" for key in block.group_keys]
            for one, kind in zip(classes, wanted_kinds(block, classes), strict=True):
                room = _room_for(one, kind, homerooms, free, usual)
                counts[one.key] += 1
                yield Lesson(
                    f"{one.key}-{counts[one.key]}",
                    school_key,
                    one.key,
                    one.teacher_key,
                    room,
                    slot // per_day + 1,
                    slot % per_day + 1,
                )


def _room_for(
    one: SchoolClass, kind: str, homerooms: list[str], free: dict[str, list[str]], usual: dict[str, str]
) -> str:
    if not kind:
        own = f"{one.group_keys[0]}-room"
        room = own if own in homerooms else homerooms[0]
        homerooms.remove(room)
        return room
    room = usual.get(one.key, "")
    if room not in free[kind]:
        room = _preferred(one, free[kind])
    usual.setdefault(one.key, room)
    free[kind].remove(room)
    return room


def _preferred(one: SchoolClass, rooms: list[str]) -> str:
    """Physics goes to the physics laboratory while there is one."""
    second = one.subject in {"FYQ", "FIS", "QUI"}
    return next((room for room in rooms if ("-lab-2-" in room) == second), rooms[0])
