from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "pupitre.devices"
    label = "devices"
