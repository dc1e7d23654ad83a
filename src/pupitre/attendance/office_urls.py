"""The office's addresses: board, absences, letters, statistics, settings."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
