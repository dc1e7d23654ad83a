"""Reading the calendar, the lessons of a day or week, imports and feeds."""

from .lessons import (
    LESSON_TOLD,
    LESSONS_TOLD,
    HeldLesson,
    lesson_told,
    lessons_between,
    lessons_of_day,
    lessons_told,
    timetable_between,
    weekdays_of,
)

__all__ = [
    "LESSONS_TOLD",
    "LESSON_TOLD",
    "HeldLesson",
    "lesson_told",
    "lessons_between",
    "lessons_of_day",
    "lessons_told",
    "timetable_between",
    "weekdays_of",
]
