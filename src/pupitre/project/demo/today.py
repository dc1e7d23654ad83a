"""A lesson under way at any hour, said openly.

A real school is closed at night and on Sundays; whoever opens the demonstration then would see an empty product. So the
demonstration, and it alone, may give one date a bell of its own and let a closed day run as a weekday. `demo_day` says
which bell and which weekday; the caller stores both as the exception of that date that the product knows anyway, and asks
again when a lesson has ended. In the hours of a real school day nothing is changed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from pupitre.project.demo.roster import Bell, Period

# The day's last moment: `time` knows no 24:00.
_MIDNIGHT = time(23, 59, 59)
_DAY = 24 * 60
_LEAD = 10


@dataclass(frozen=True, slots=True)
class DemoDay:
    """How one date runs: its bell and the weekday whose lessons it has (1 = Monday). `changed`: not as the calendar says."""

    on: date
    bell: Bell
    runs_as_weekday: int
    changed: bool

    def lesson_at(self, at: time) -> Period | None:
        """The lesson under way at a local time of the day; a lesson's end belongs to what follows, but at midnight."""
        under_way = (
            one
            for one in self.lessons
            if one.starts_at <= at and (at < one.ends_at or one.ends_at == _MIDNIGHT)
        )
        return next(under_way, None)

    @property
    def lessons(self) -> tuple[Period, ...]:
        """The lessons of the day, without breaks."""
        return self.bell.lessons(self.runs_as_weekday)


def demo_day(
    now_local: datetime,
    bell: Bell,
    *,
    closed: bool = False,
    stored: DemoDay | None = None,
    preferred: frozenset[tuple[int, int]] = frozenset(),
) -> DemoDay:
    """The day of `now_local` (the school's wall clock) with a lesson under way at that moment.

    `bell` is the school's ordinary bell and `closed` says that today is a holiday. `stored` is the answer given earlier
    today: it stands as long as it has a lesson under way, so that the day does not move under people's feet. In a break
    the rest of the day is brought forward; before and after school the whole day is laid around now, beginning if it can
    with one of the `preferred` (weekday, period) pairs, such as the hours of the teacher who is shown.
    """
    kept = stored if stored is not None and stored.on == now_local.date() else None
    day = kept or _ordinary_day(now_local.date(), bell, closed=closed, preferred=preferred)
    clock = now_local.time().replace(tzinfo=None)
    if day.lesson_at(clock) is not None:
        return day
    begun = [lesson for lesson in day.lessons if lesson.ends_at <= clock]
    to_come = [lesson for lesson in day.lessons if lesson.starts_at > clock]
    if begun and to_come:
        return _changed(day, tuple(_brought_forward(day, begun[-1], to_come[0], _minutes(clock))))
    return _laid_around(day, bell, _minutes(clock), preferred)


def _ordinary_day(on: date, bell: Bell, *, closed: bool, preferred: frozenset[tuple[int, int]]) -> DemoDay:
    """The date by the calendar; a Saturday or Sunday runs as the weekday with most of the preferred hours."""
    weekday = on.isoweekday()
    if weekday <= 5:
        return DemoDay(on, bell, weekday, changed=closed)
    hours = {day: sum(1 for preferred_day, _ in preferred if preferred_day == day) for day in range(1, 6)}
    return DemoDay(on, bell, max(hours, key=lambda day: (hours[day], day == weekday - 5)), changed=True)


def _changed(day: DemoDay, periods: tuple[Period, ...]) -> DemoDay:
    key = f"{day.bell.key.split('@')[0]}@{day.on.isoformat()}"
    return replace(day, bell=replace(day.bell, key=key, periods=periods), changed=True)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _clock(minutes: int) -> time:
    return _MIDNIGHT if minutes == _DAY else time(minutes // 60, minutes % 60)


def _moved(period: Period, shift: int) -> Period:
    return replace(
        period,
        starts_at=_clock(_minutes(period.starts_at) + shift),
        ends_at=_clock(_minutes(period.ends_at) + shift),
    )


def _brought_forward(day: DemoDay, last: Period, coming: Period, now: int) -> Iterator[Period]:
    """The day with the break of now cut short: the coming lesson has begun just now, or where the last one ended."""
    start = max(_minutes(last.ends_at), now - now % 5)
    shift = start - _minutes(coming.starts_at)
    for period in day.bell.periods:
        if period.starts_at >= coming.starts_at:
            yield _moved(period, shift)
        elif period.starts_at < last.ends_at:
            yield period
        elif _minutes(period.starts_at) < start:
            yield replace(period, ends_at=_clock(min(_minutes(period.ends_at), start)))


def _laid_around(day: DemoDay, bell: Bell, now: int, preferred: frozenset[tuple[int, int]]) -> DemoDay:
    """The whole day moved so that one of its lessons began some ten minutes ago and as many as possible are ahead."""
    lessons = bell.lessons(day.runs_as_weekday)
    first, last = _minutes(lessons[0].starts_at), _minutes(lessons[-1].ends_at)
    wanted = sorted(lessons, key=lambda lesson: (day.runs_as_weekday, lesson.number) not in preferred)
    for lesson in wanted:
        shift = max(0, now - now % 5 - _LEAD) - _minutes(lesson.starts_at)
        if first + shift >= 0 and last + shift <= _DAY:
            return _changed(day, _shifted(bell, day.runs_as_weekday, shift))
    # So late that not even the last lesson has room before midnight: it ends with the day.
    return _changed(day, _shifted(bell, day.runs_as_weekday, _DAY - last))


def _shifted(bell: Bell, weekday: int, shift: int) -> tuple[Period, ...]:
    """The periods of the weekday moved; what would follow its last lesson is left out."""
    end = bell.lessons(weekday)[-1].ends_at
    return tuple(_moved(period, shift) for period in bell.periods if period.ends_at <= end)
