from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "pupitre.connections"
    label = "connections"
