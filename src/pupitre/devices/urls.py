"""Addresses of the fleet. Each part of the context lists its own beside this file."""

from .application_urls import urlpatterns as applications
from .fleet_urls import urlpatterns as fleet
from .lending_urls import urlpatterns as lending
from .policy_urls import urlpatterns as policies

urlpatterns = [*applications, *fleet, *lending, *policies]
