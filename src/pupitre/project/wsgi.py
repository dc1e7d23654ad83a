"""The pages, as the web server calls them."""

import os

from django.core.wsgi import get_wsgi_application

from pupitre.kernel import processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pupitre.project.settings")

# The web server's main process may be killed without a word; its workers would then hold the port for ever.
if "PUPITRE_SUPERVISOR" in os.environ:
    processes.follow_parent()

application = get_wsgi_application()
