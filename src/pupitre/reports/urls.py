from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("s/<slug:school>/", views.school_home, name="school-home"),
]
