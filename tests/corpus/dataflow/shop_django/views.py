"""Django: views are functions of a request, or methods of a class."""

import os

from django.db import connection
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.html import escape, format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views import View

from shop.models import User


def search(request, pk, number):
    name = request.GET.get("name")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM shop_user WHERE name = '%s'" % name)  # bad: sql
        cursor.execute("SELECT * FROM shop_user WHERE name = %s", [name])
    User.objects.raw("SELECT * FROM shop_user WHERE name = '%s'" % name)  # bad: sql
    User.objects.raw("SELECT * FROM shop_user WHERE name = %s", [name])
    User.objects.filter(name=name)
    os.system(pk)  # bad: command
    os.system(f"kill {number}")
    return render(request, "search.html", {"name": name})


def page(request):
    name = request.POST["name"]
    if request.COOKIES.get("old"):
        return HttpResponse("<b>" + name)  # bad: xss
    if request.META.get("HTTP_X"):
        return HttpResponse(name, content_type="text/plain")
    mark_safe("<b>" + name)  # bad: xss
    format_html("<b>{}", name)
    return HttpResponse("<b>" + escape(name))


def leave(request):
    target = request.GET["next"]
    if url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return redirect(target)
    return HttpResponseRedirect(target)  # bad: redirect


def keep(request):
    request.session["user"] = request.POST["user"]  # bad: trust-boundary
    request.session["count"] = int(request.POST["count"])
    return JsonResponse({"name": request.GET["name"]})


def remember(request, user):
    """No URL leads here: who calls it, knows what it gives."""
    os.system(user)
    os.system(request.GET["x"])  # bad: command


class Users(View):
    def get(self, request, name):
        os.system(name)  # bad: command
        os.system(request.GET["x"])  # bad: command
        os.system(self.request.GET["x"])  # bad: command
        os.system(self.kwargs["name"])  # bad: command
        return JsonResponse({})

    def helper(self, name):
        os.system(name)
