from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "pupitre.reports"
    label = "reports"
