"""Addresses of policies, lesson rules and a teacher's word for her lesson."""

from django.urls import path

from .views import lessons, policies

_POLICY = "s/<slug:school>/devices/policies/<int:policy>"
_FLEET = "a/<slug:authority>/fleet/policies"

urlpatterns = [
    path("s/<slug:school>/devices/policies", policies.policies, name="policies"),
    path("s/<slug:school>/devices/policies/new", policies.policy_new, name="policy-new"),
    path(_POLICY, policies.policy, name="policy"),
    path(f"{_POLICY}/edition", policies.policy_edit, name="policy-edit"),
    path(f"{_POLICY}/name", policies.policy_name, name="policy-name"),
    path(f"{_POLICY}/archival", policies.policy_archival, name="policy-archival"),
    path(
        f"{_POLICY}/versions/<int:version>/restoration",
        policies.policy_restoration,
        name="policy-restoration",
    ),
    path(f"{_POLICY}/assignments", policies.policy_assignments, name="policy-assignments"),
    path(
        "s/<slug:school>/devices/assignments/<int:assignment>/removal",
        policies.assignment_removal,
        name="policy-assignment-removal",
    ),
    path("s/<slug:school>/devices/rules/new", lessons.rule_new, name="lesson-rule-new"),
    path("s/<slug:school>/devices/rules/<int:rule>", lessons.rule, name="lesson-rule"),
    path("s/<slug:school>/devices/rules/<int:rule>/end", lessons.rule_end, name="lesson-rule-end"),
    path("s/<slug:school>/devices/lesson", lessons.lesson, name="device-lesson"),
    path("s/<slug:school>/devices/lesson/<int:klass>", lessons.lesson_word, name="device-lesson-word"),
    path("s/<slug:school>/devices/leases/<int:lease>/end", lessons.lease_end, name="device-lesson-end"),
    path(_FLEET, policies.fleet_policies, name="fleet-policies"),
    path(f"{_FLEET}/new", policies.fleet_policy_new, name="fleet-policy-new"),
    path(f"{_FLEET}/<int:policy>", policies.fleet_policy, name="fleet-policy"),
    path(f"{_FLEET}/<int:policy>/edition", policies.fleet_policy_edit, name="fleet-policy-edit"),
    path(f"{_FLEET}/<int:policy>/name", policies.fleet_policy_name, name="fleet-policy-name"),
    path(f"{_FLEET}/<int:policy>/archival", policies.fleet_policy_archival, name="fleet-policy-archival"),
    path(
        f"{_FLEET}/<int:policy>/versions/<int:version>/restoration",
        policies.fleet_policy_restoration,
        name="fleet-policy-restoration",
    ),
    path(
        f"{_FLEET}/<int:policy>/assignments",
        policies.fleet_policy_assignments,
        name="fleet-policy-assignments",
    ),
    path(
        "a/<slug:authority>/fleet/assignments/<int:assignment>/removal",
        policies.fleet_assignment_removal,
        name="fleet-policy-assignment-removal",
    ),
]
