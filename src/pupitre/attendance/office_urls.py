"""The office's addresses: board, absences, letters, statistics, settings."""

from django.urls import path

from .views import absences, board, letters, settings, statistics

urlpatterns = [
    path("s/<slug:school>/board", board.board, name="board"),
    path("s/<slug:school>/board/pupils/<int:pupil>", board.contacts, name="board-contacts"),
    path("s/<slug:school>/board/calls", board.calls, name="board-calls"),
    path("s/<slug:school>/board/arrivals", board.arrivals, name="board-arrivals"),
    path("s/<slug:school>/absences", absences.absences, name="absences"),
    path("s/<slug:school>/absences/new", absences.new_absence, name="absence-new"),
    path("s/<slug:school>/absences/decisions", absences.decisions, name="absence-decisions"),
    path("s/<slug:school>/absences/<int:notice>", absences.absence, name="absence"),
    path("s/<slug:school>/absences/<int:notice>/withdrawal", absences.withdrawal, name="absence-withdrawal"),
    path("s/<slug:school>/absences/<int:notice>/document", absences.document, name="absence-document"),
    path("s/<slug:school>/attendance/statistics", statistics.statistics, name="attendance-statistics"),
    path("s/<slug:school>/attendance/statistics/pupils", statistics.pupils, name="attendance-pupils"),
    path(
        "s/<slug:school>/attendance/statistics/pupils/<int:pupil>", statistics.pupil, name="attendance-pupil"
    ),
    path("s/<slug:school>/attendance/statistics.xlsx", statistics.workbook, name="attendance-workbook"),
    path("s/<slug:school>/attendance/letters", letters.letters, name="attendance-letters"),
    path("s/<slug:school>/attendance/letters/archive", letters.archive, name="attendance-archive"),
    path("s/<slug:school>/attendance/letters.pdf", letters.letters_pdf, name="attendance-letters-pdf"),
    path("s/<slug:school>/attendance/thresholds", letters.thresholds, name="attendance-thresholds"),
    path("s/<slug:school>/attendance/thresholds/new", letters.threshold, name="attendance-threshold-new"),
    path(
        "s/<slug:school>/attendance/thresholds/<int:threshold>",
        letters.threshold,
        name="attendance-threshold",
    ),
    path("s/<slug:school>/attendance/settings", settings.settings, name="attendance-settings"),
    path("s/<slug:school>/attendance/settings/codes", settings.codes, name="attendance-codes"),
]
