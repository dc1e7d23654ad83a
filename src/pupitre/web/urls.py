from django.urls import path

from . import views

urlpatterns = [
    path("design", views.design, name="design"),
    path("health/live", views.alive, name="alive"),
    path("health/ready", views.ready, name="ready"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("service-worker.js", views.service_worker, name="service-worker"),
    path("offline", views.offline, name="offline"),
]
