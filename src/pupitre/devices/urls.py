"""Addresses of the fleet. Each part of the context lists its own beside this file."""

from .fleet_urls import urlpatterns as fleet
from .lending_urls import urlpatterns as lending
from .policy_urls import urlpatterns as policies

urlpatterns = [*fleet, *lending, *policies]
