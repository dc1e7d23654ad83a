from django.urls import path

from .views import connections, granting, guide, scim, webhooks

urlpatterns = [
    path("scim/v2", scim.scim, name="scim-root"),
    path("scim/v2/<path:path>", scim.scim, name="scim"),
    path("connect", guide.guide, name="connect"),
    path("connect/<slug:page>", guide.guide, name="connect-page"),
    path("oauth/token", granting.token, name="oauth-token"),
    path("s/<slug:school>/connections", connections.connections, name="connections"),
    path(
        "s/<slug:school>/connections/<int:connection>/revocation",
        connections.revocation,
        name="connection-revocation",
    ),
    path("s/<slug:school>/webhooks", webhooks.webhooks, name="webhooks"),
    path("s/<slug:school>/webhooks/<int:webhook>", webhooks.webhook, name="webhook"),
    path("s/<slug:school>/webhooks/<int:webhook>/secret", webhooks.secret, name="webhook-secret"),
    path("s/<slug:school>/webhooks/<int:webhook>/trials", webhooks.trials, name="webhook-trials"),
    path("s/<slug:school>/webhooks/<int:webhook>/activity", webhooks.activity, name="webhook-activity"),
    path("s/<slug:school>/webhooks/<int:webhook>/replays", webhooks.replays, name="webhook-replays"),
    path(
        "s/<slug:school>/webhooks/<int:webhook>/deliveries/<int:delivery>",
        webhooks.delivery,
        name="webhook-delivery",
    ),
    path(
        "s/<slug:school>/webhooks/<int:webhook>/deliveries/<int:delivery>/replay",
        webhooks.replay,
        name="webhook-replay",
    ),
]
