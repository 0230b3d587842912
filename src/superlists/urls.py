"""Every address of the site."""

from django.urls import path

from lists import views

urlpatterns = [
    path("", views.home, name="home"),
    path("lists/<int:list_id>/", views.show_list, name="list"),
    path("health", views.health, name="health"),
]
