from django.urls import path

from .views import notices, notifications

urlpatterns = [
    path("notifications", notifications.notifications, name="notifications"),
    path("notifications/reading", notifications.read_all, name="notifications-read"),
    path("notifications/channels", notifications.channels, name="notification-channels"),
    path("notifications/browsers", notifications.browsers, name="notification-browsers"),
    path("notifications/<int:notification>/reading", notifications.read_one, name="notification-read"),
    path("s/<slug:school>/notices", notices.notices, name="notices"),
    path("s/<slug:school>/notices/new", notices.new_notice, name="new-notice"),
    path("s/<slug:school>/notices/<int:notice>", notices.notice, name="notice"),
    path("s/<slug:school>/notices/<int:notice>/following", notices.following, name="notice-following"),
    path("s/<slug:school>/notices/<int:notice>/text", notices.edit_notice, name="notice-text"),
    path("s/<slug:school>/notices/<int:notice>/publication", notices.publication, name="notice-publication"),
    path(
        "s/<slug:school>/notices/<int:notice>/confirmation", notices.confirmation, name="notice-confirmation"
    ),
    path("s/<slug:school>/notices/<int:notice>/reminder", notices.reminder, name="notice-reminder"),
    path("s/<slug:school>/notices/<int:notice>/withdrawal", notices.withdrawal, name="notice-withdrawal"),
    path("s/<slug:school>/notices/<int:notice>/discarding", notices.discarding, name="notice-discarding"),
]
