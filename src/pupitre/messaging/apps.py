from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "pupitre.messaging"
    label = "messaging"
