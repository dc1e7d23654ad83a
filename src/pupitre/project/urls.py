"""Every address of the product. A school's pages lie under /s/<school>/, what crosses schools outside."""

from django.urls import include, path

# Addresses are tried one after the other, 15 µs for ten. What everybody opens at eight o'clock comes first.
urlpatterns = [
    path("", include("pupitre.web.urls")),
    path("", include("pupitre.attendance.urls")),
    path("", include("pupitre.reports.urls")),
    path("", include("pupitre.people.urls")),
    path("", include("pupitre.courses.urls")),
    path("", include("pupitre.timetable.urls")),
    path("", include("pupitre.messaging.urls")),
    path("", include("pupitre.devices.urls")),
    path("", include("pupitre.connections.urls")),
    path("", include("pupitre.connections.identity_urls")),  # before allauth's: the sign-in page is ours
    path("", include("pupitre.project.api")),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]

handler400 = "pupitre.web.views.bad_request"
handler403 = "pupitre.web.views.forbidden"
handler404 = "pupitre.web.views.not_found"
handler500 = "pupitre.web.views.server_error"
