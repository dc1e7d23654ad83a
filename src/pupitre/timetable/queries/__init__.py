"""Reading the calendar, the lessons of a day or week, imports and feeds."""

from .lessons import HeldLesson, lessons_between, lessons_of_day, timetable_between

__all__ = ["HeldLesson", "lessons_between", "lessons_of_day", "timetable_between"]
