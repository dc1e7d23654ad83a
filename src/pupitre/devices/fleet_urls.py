from django.urls import path

from .views import assigning, authority, classes, commands, device, enrolment, intake, school

urlpatterns = [
    path("s/<slug:school>/devices", school.overview, name="devices"),
    path("s/<slug:school>/devices/list", school.devices, name="device-list"),
    path("s/<slug:school>/devices/list.csv", school.export_csv, name="device-list-csv"),
    path("s/<slug:school>/devices/list.xlsx", school.export_xlsx, name="device-list-xlsx"),
    path("s/<slug:school>/devices/views", school.views, name="device-views"),
    path("s/<slug:school>/devices/views/<int:view>/removal", school.view_removal, name="device-view-removal"),
    path("s/<slug:school>/devices/<int:device>", device.device, name="device"),
    path("s/<slug:school>/devices/<int:device>/facts", device.facts, name="device-facts"),
    path("s/<slug:school>/devices/<int:device>/holder", device.holder, name="device-holder"),
    path("s/<slug:school>/devices/<int:device>/standing", device.standing, name="device-standing"),
    path("s/<slug:school>/devices/<int:device>/commands", commands.commands, name="device-commands"),
    path("s/<slug:school>/devices/commands", commands.many, name="devices-commands"),
    path(
        "s/<slug:school>/devices/commands/<int:command>/cancellation",
        commands.cancellation,
        name="device-command-cancellation",
    ),
    path(
        "s/<slug:school>/devices/commands/<int:command>/repetition",
        commands.repetition,
        name="device-command-repetition",
    ),
    path("s/<slug:school>/devices/proposals", commands.proposals, name="device-proposals"),
    path("s/<slug:school>/devices/proposals/<uuid:batch>", commands.decision, name="device-decision"),
    path("s/<slug:school>/devices/enrolment", enrolment.tickets, name="device-enrolment"),
    path("s/<slug:school>/devices/enrolment/<int:ticket>", enrolment.ticket, name="device-ticket"),
    path(
        "s/<slug:school>/devices/enrolment/<int:ticket>/revocation",
        enrolment.revocation,
        name="device-ticket-revocation",
    ),
    path("s/<slug:school>/devices/waiting", enrolment.waiting, name="devices-waiting"),
    path("s/<slug:school>/devices/deliveries", intake.deliveries, name="device-deliveries"),
    path("s/<slug:school>/devices/deliveries/intake", intake.confirmation, name="device-intake"),
    path("s/<slug:school>/devices/assignment", assigning.assignment, name="device-assignment"),
    path("s/<slug:school>/devices/classes", classes.classes, name="device-classes"),
    path("s/<slug:school>/devices/classes/<int:klass>", classes.klass, name="device-class"),
    path("a/<slug:authority>/fleet/", authority.overview, name="fleet"),
    path("a/<slug:authority>/fleet/devices", authority.devices, name="fleet-devices"),
    path("a/<slug:authority>/fleet/devices.csv", authority.export, name="fleet-devices-csv"),
    path("a/<slug:authority>/fleet/devices/<int:device>", authority.device, name="fleet-device"),
    path("a/<slug:authority>/fleet/commands", authority.commands, name="fleet-commands"),
    path("a/<slug:authority>/fleet/views", authority.views, name="fleet-views"),
    path(
        "a/<slug:authority>/fleet/views/<int:view>/removal", authority.view_removal, name="fleet-view-removal"
    ),
]
