"""The box that items are typed into."""

from collections.abc import Mapping

from django import forms
from django.core.exceptions import ValidationError

from lists.models import Item, List

EMPTY_ITEM = "An item needs some text"
DUPLICATE_ITEM = "This is already in your list"


class ItemForm(forms.Form):
    """One more item for a list; a list that is not saved yet is saved with it."""

    text = forms.CharField(
        label="What needs doing?",
        error_messages={"required": EMPTY_ITEM},
        widget=forms.TextInput(
            attrs={"placeholder": "Water the tomatoes", "autocomplete": "off", "autofocus": True},
        ),
    )

    def __init__(self, *, to_do: List, data: Mapping[str, str] | None = None) -> None:
        super().__init__(data)
        self.to_do = to_do

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if self.to_do.pk and self.to_do.items.filter(text=text).exists():
            raise ValidationError(DUPLICATE_ITEM, code="duplicate")
        return text

    def save(self) -> Item:
        if not self.to_do.pk:
            self.to_do.save()
        return self.to_do.items.create(text=self.cleaned_data["text"])
