from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "pupitre.courses"
    label = "courses"
