"""A to-do list and its items."""

from django.db import models
from django.urls import reverse


class List(models.Model):
    """A list has nothing of its own but its address."""

    def __str__(self) -> str:
        return f"List {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("list", args=[self.pk])


class Item(models.Model):
    """One thing to do, once per list."""

    list = models.ForeignKey(List, on_delete=models.CASCADE, related_name="items")
    text = models.TextField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("list", "text"), name="item_once_per_list"),)

    def __str__(self) -> str:
        return self.text
