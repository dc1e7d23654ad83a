from django.urls import path

from .views import connections, granting

urlpatterns = [
    path("oauth/token", granting.token, name="oauth-token"),
    path("s/<slug:school>/connections", connections.connections, name="connections"),
    path(
        "s/<slug:school>/connections/<int:connection>/revocation",
        connections.revocation,
        name="connection-revocation",
    ),
]
