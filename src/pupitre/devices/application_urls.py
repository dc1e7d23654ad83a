from django.urls import path

from .views import applications as views

_SCHOOL, _AUTHORITY = "s/<slug:school>/devices", "a/<slug:authority>/fleet"

urlpatterns = [
    path(f"{_SCHOOL}/applications", views.applications, name="device-applications"),
    path(f"{_SCHOOL}/applications/<int:app>", views.application, name="device-application"),
    path(f"{_SCHOOL}/applications/<int:app>/removal", views.removal, name="device-application-removal"),
    path(f"{_SCHOOL}/versions/<int:version>/withdrawal", views.withdrawal, name="device-version-withdrawal"),
    path(f"{_SCHOOL}/versions/<int:version>/rollouts", views.beginning, name="device-version-rollouts"),
    path(f"{_SCHOOL}/rollouts", views.rollouts, name="device-rollouts"),
    path(f"{_SCHOOL}/rollouts/<int:rollout>", views.rollout, name="device-rollout"),
    path(f"{_AUTHORITY}/applications", views.fleet_applications, name="fleet-applications"),
    path(f"{_AUTHORITY}/applications/<int:app>", views.fleet_application, name="fleet-application"),
    path(
        f"{_AUTHORITY}/applications/<int:app>/removal", views.fleet_removal, name="fleet-application-removal"
    ),
    path(
        f"{_AUTHORITY}/versions/<int:version>/withdrawal",
        views.fleet_withdrawal,
        name="fleet-version-withdrawal",
    ),
    path(
        f"{_AUTHORITY}/versions/<int:version>/rollouts", views.fleet_beginning, name="fleet-version-rollouts"
    ),
    path(f"{_AUTHORITY}/rollouts", views.fleet_rollouts, name="fleet-rollouts"),
    path(f"{_AUTHORITY}/rollouts/<int:rollout>", views.fleet_rollout, name="fleet-rollout"),
]
