from django.urls import path

from . import views

urlpatterns = [
    path("search/<str:pk>/<int:number>/", views.search),
    path("page/", views.page),
    path("users/<name>/", views.Users.as_view()),
]
