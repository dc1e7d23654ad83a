from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The composition root as an application of Django's: it introduces the contexts to one another at start-up."""

    name = "pupitre.project"
    label = "project"

    def ready(self) -> None:
        from pupitre.project import wiring

        wiring.wire()
