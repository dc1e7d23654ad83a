"""Addresses of the fleet. Each part of the context lists its own beside this file."""

from .fleet_urls import urlpatterns as fleet

urlpatterns = [*fleet]
