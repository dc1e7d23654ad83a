from django.urls import path

from . import views

urlpatterns = [
    path("account", views.account, name="account"),
    path("account/second-factor", views.second_factor_needed, name="second-factor-needed"),
]
