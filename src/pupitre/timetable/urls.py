from django.urls import path

from .views import calendar, feeds, imports, lessons, substitutions, weeks

urlpatterns = [
    path("s/<slug:school>/timetable", weeks.timetable, name="timetable"),
    path("s/<slug:school>/timetable/imports", imports.imports, name="timetable-imports"),
    path("s/<slug:school>/timetable/imports/<int:upload>", imports.timetable_import, name="timetable-import"),
    path("s/<slug:school>/timetable/export", lessons.timetable_export, name="timetable-export"),
    path("s/<slug:school>/timetable/lessons/new", lessons.new_lesson, name="new-lesson"),
    path("s/<slug:school>/timetable/lessons/<int:lesson>", lessons.lesson, name="lesson"),
    path("s/<slug:school>/timetable/lessons/<int:lesson>/end", lessons.lesson_end, name="lesson-end"),
    path("s/<slug:school>/timetable/feed", feeds.timetable_feeds, name="timetable-feeds"),
    path(
        "s/<slug:school>/timetable/feed/<int:feed>/revocation", feeds.feed_revocation, name="feed-revocation"
    ),
    path("s/<slug:school>/timetable/feed/of/<int:person>", feeds.feed_creation, name="feed-creation"),
    path("s/<slug:school>/feeds/<str:secret>.ics", feeds.feed, name="feed"),
    path("s/<slug:school>/substitutions", substitutions.substitutions, name="substitutions"),
    path(
        "s/<slug:school>/substitutions/<int:lesson>/<str:held_on>/undo",
        substitutions.substitution_undo,
        name="substitution-undo",
    ),
    path("s/<slug:school>/calendar", calendar.calendar, name="calendar"),
    path("s/<slug:school>/calendar/bells", calendar.bells, name="calendar-bells"),
    path(
        "s/<slug:school>/calendar/bells/<int:schedule>/deletion",
        calendar.bells_deletion,
        name="calendar-bells-deletion",
    ),
    path("s/<slug:school>/calendar/weeks", calendar.weeks, name="calendar-weeks"),
    path("s/<slug:school>/calendar/holidays", calendar.holidays, name="calendar-holidays"),
    path("s/<slug:school>/calendar/other-days", calendar.other_days, name="calendar-other-days"),
    path(
        "s/<slug:school>/calendar/exceptions/<int:exception>/deletion",
        calendar.exception_deletion,
        name="calendar-exception-deletion",
    ),
    path("s/<slug:school>/calendar/rooms", calendar.rooms, name="calendar-rooms"),
    path(
        "s/<slug:school>/calendar/rooms/<int:room>/closure",
        calendar.room_closure,
        name="calendar-room-closure",
    ),
]
