"""Changing bell schedules, the calendar, rooms, lessons, substitutions and feeds, and importing timetables."""

from .calendar import (
    Bell,
    close_day,
    delete_bell_schedule,
    delete_exception,
    run_day_otherwise,
    set_bell_schedule,
    set_weeks,
)
from .feeds import create_feed, note_reading, revoke_feed
from .imports import apply_timetable, choose_timetable, receive_timetable
from .lessons import change_lesson, close_room, end_lesson, open_room, schedule_lesson
from .substitutions import change_day, undo_change

__all__ = [
    "Bell",
    "apply_timetable",
    "change_day",
    "change_lesson",
    "choose_timetable",
    "close_day",
    "close_room",
    "create_feed",
    "delete_bell_schedule",
    "delete_exception",
    "end_lesson",
    "note_reading",
    "open_room",
    "receive_timetable",
    "revoke_feed",
    "run_day_otherwise",
    "schedule_lesson",
    "set_bell_schedule",
    "set_weeks",
    "undo_change",
]
