"""The pages, and the health that a deploy asks for."""

import logging

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from lists.forms import ItemForm
from lists.models import Item, List

logger = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    return page_with_box(request, "lists/home.html", List())


@require_http_methods(["GET", "HEAD", "POST"])
def show_list(request: HttpRequest, list_id: int) -> HttpResponse:
    return page_with_box(request, "lists/list.html", get_object_or_404(List, pk=list_id))


@never_cache
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    try:
        Item.objects.exists()
    except DatabaseError:
        logger.exception("The database does not answer")
        return HttpResponse("the database does not answer\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


def page_with_box(request: HttpRequest, template: str, to_do: List) -> HttpResponse:
    form = ItemForm(to_do=to_do, data=request.POST if request.method == "POST" else None)
    # One transaction looks for a duplicate and saves: the second half of a double click waits for the first.
    if form.is_bound:
        with transaction.atomic():
            if form.is_valid():
                form.save()
                return redirect(to_do)
    return render(request, template, {"list": to_do, "form": form})
