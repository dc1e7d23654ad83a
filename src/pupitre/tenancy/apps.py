from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "pupitre.tenancy"
    label = "tenancy"
