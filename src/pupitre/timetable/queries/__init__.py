"""Reading the calendar, the lessons of a day or week, imports and feeds."""

from .lessons import LESSON_TOLD, HeldLesson, lesson_told, lessons_between, lessons_of_day, timetable_between

__all__ = [
    "LESSON_TOLD",
    "HeldLesson",
    "lesson_told",
    "lessons_between",
    "lessons_of_day",
    "timetable_between",
]
