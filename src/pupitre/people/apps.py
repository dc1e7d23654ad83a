from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "pupitre.people"
    label = "people"
