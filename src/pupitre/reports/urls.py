from django.urls import path

from .views import authority, family, home, overview

urlpatterns = [
    path("", home.home, name="home"),
    path("s/<slug:school>/", home.school_home, name="school-home"),
    path("family", family.family_page, name="family"),
    path("s/<slug:school>/family/absences/new", family.announce, name="family-announce"),
    path(
        "s/<slug:school>/family/absences/<int:absence>/withdrawal",
        family.withdrawal,
        name="family-withdrawal",
    ),
    path("s/<slug:school>/family/absences/<int:absence>/document", family.document, name="family-document"),
    path("s/<slug:school>/record/<int:pupil>", family.record, name="record"),
    path("s/<slug:school>/my-day", family.my_day, name="my-day"),
    path("s/<slug:school>/overview", overview.overview, name="school-overview"),
    path("a/<slug:authority>/", authority.overview, name="authority-overview"),
    path("a/<slug:authority>/figures.xlsx", authority.workbook, name="authority-workbook"),
]
