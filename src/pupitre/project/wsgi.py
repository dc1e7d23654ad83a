"""The pages, as the web server calls them."""

import os

from django.core.wsgi import get_wsgi_application

from pupitre.kernel import processes
from pupitre.web.turns import Turns

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pupitre.project.settings")

# The web server's main process may be killed without a word; its workers would then hold the port for ever.
if "PUPITRE_SUPERVISOR" in os.environ:
    processes.follow_parent()

_pages = get_wsgi_application()

from django.conf import settings  # noqa: E402 - only now are there any

application = Turns(_pages, at_once=settings.CONFIG.web_threads, waiting=settings.CONFIG.web_waiting)
