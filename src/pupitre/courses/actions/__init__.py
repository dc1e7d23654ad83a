"""Changing academic sessions, classes, enrolments, and rosters as a whole."""

from .classes import attach_homeroom, detach_homeroom, end_enrolment, enrol, open_class, open_session

__all__ = ["attach_homeroom", "detach_homeroom", "end_enrolment", "enrol", "open_class", "open_session"]
