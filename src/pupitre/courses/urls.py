from django.urls import path

from .views import classes, pulling, rostering, rosters

urlpatterns = [
    path("s/<slug:school>/rosters", rosters.imports, name="rosters"),
    path("s/<slug:school>/rosters/export", rosters.export, name="roster-export"),
    path("s/<slug:school>/rosters/source", pulling.source, name="roster-source"),
    path("s/<slug:school>/rosters/source/pull", pulling.pull, name="roster-pull"),
    path("s/<slug:school>/rosters/source/removal", pulling.removal, name="roster-source-removal"),
    path("s/<slug:school>/rosters/exports", pulling.exports, name="roster-exports"),
    path("s/<slug:school>/rosters/exports/<int:export>", pulling.kept_export, name="roster-kept-export"),
    path("s/<slug:school>/rosters/<int:roster>", rosters.roster, name="roster"),
    path("s/<slug:school>/rosters/<int:roster>/choices", rosters.choices, name="roster-choices"),
    path("s/<slug:school>/rosters/<int:roster>/decisions", rosters.decisions, name="roster-decisions"),
    path("s/<slug:school>/rosters/<int:roster>/application", rosters.application, name="roster-application"),
    path("s/<slug:school>/rosters/<int:roster>/findings", rosters.findings, name="roster-findings"),
    path("s/<slug:school>/rosters/<int:roster>/changes/<str:kind>", rosters.changes, name="roster-changes"),
    path("s/<slug:school>/classes", classes.classes, name="classes"),
    path("s/<slug:school>/classes/<int:klass>", classes.klass, name="class"),
    path("s/<slug:school>/classes/<int:klass>/enrolments", classes.enrolments, name="class-enrolments"),
    path(
        "s/<slug:school>/classes/<int:klass>/enrolments/<int:enrolment>/end",
        classes.enrolment_end,
        name="class-enrolment-end",
    ),
    path("s/<slug:school>/classes/<int:klass>/homerooms", classes.homerooms, name="class-homerooms"),
    path("ims/oneroster/rostering/v1p2/<path:rest>", rostering.rostering, name="rostering"),
    path("ims/<path:rest>", rostering.nothing, name="ims"),
]
