from django.apps import AppConfig


class TimetableConfig(AppConfig):
    name = "pupitre.timetable"
    label = "timetable"
