from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "pupitre.web"
    label = "web"

    def ready(self) -> None:
        """Register the prefix lookup that row-level security can index."""
        from . import lookups  # noqa: F401
