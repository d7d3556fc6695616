"""The endpoints of a Python program, with what stands before each."""

from __future__ import annotations

import ast

import pytest
from tests.verify.analysis.programs import program_of

from omni.verify.analysis.handlers import Endpoint, before, code_of, python_endpoints


def shown(endpoint: Endpoint) -> str:
    """`METHOD path line handler < guards`"""
    handler = endpoint.handler.name if endpoint.handler else "-"
    guards = ", ".join(ast.unparse(guard.node) for guard in endpoint.guards)
    return f"{endpoint.shown} {endpoint.line} {handler}" + (f" < {guards}" if guards else "")


def endpoints(text: str, **others: str) -> list[str]:
    program = program_of({"a.py": text} | {f"{name}.py": other for name, other in others.items()})
    return [shown(each) for each in python_endpoints(program)]


FASTAPI = "app = FastAPI()\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@app.get('/a')\ndef f(): ...\n", ["GET /a 2 a.f"]),
        ("@app.delete(path='/a')\nasync def f(): ...\n", ["DELETE /a 2 a.f"]),
        ("@app.route('/a')\ndef f(): ...\n", ["GET /a 2 a.f"]),
        ("@app.route('/a', methods=['get', 'POST'])\ndef f(): ...\n", ["GET /a 2 a.f", "POST /a 2 a.f"]),
        ("@app.api_route('/a', methods=METHODS)\ndef f(): ...\n", ["GET /a 2 a.f"]),
        ("@app.websocket('/a')\ndef f(): ...\n", ["GET /a 2 a.f"]),
        ("@app.get('/a', methods=['POST'])\ndef f(): ...\n", ["GET /a 2 a.f"]),
        ("@app.get(PATH)\ndef f(): ...\n", ["GET … 2 a.f"]),
        ("@app.on_event('startup')\ndef f(): ...\n", []),
        ("@app.get\ndef f(): ...\n", []),
        ("@get('/a')\ndef f(): ...\n", []),
        ("@users_router.get('/a')\ndef f(): ...\n", ["GET /a 2 a.f"]),
        ("@self.API.get('/a')\ndef f(): ...\n", ["GET /a 2 a.f"]),
        ("@users_router.get(PATH)\ndef f(): ...\n", []),
        ("@cache.get('/a')\ndef f(): ...\n", []),
        ("@app.get('/a')\ndef f(u: User = Depends(user), *, k: Key = need(key), n=1): ...\n",
         ["GET /a 2 a.f < Depends(user), need(key), 1, User, Key"]),
        ("@app.get('/a')\ndef f(a: A, /, b: B, *, c): ...\n", ["GET /a 2 a.f < A, B"]),
        ("@app.get('/a', dependencies=[Depends(x)])\n@login_required\ndef f(): ...\n",
         ["GET /a 2 a.f < [Depends(x)], login_required"]),
        ("@login_required\n@app.get('/a')\ndef f(): ...\n", ["GET /a 3 a.f < login_required"]),
        ("@app.middleware('http')\ndef m(): ...\n@app.get('/a')\ndef f(): ...\n", ["GET /a 4 a.f < m"]),
        ("@app.before_request\ndef m(): ...\n@app.get('/a')\ndef f(): ...\n", ["GET /a 4 a.f < m"]),
        ("@app.after_request\ndef m(): ...\n@app.get('/a')\ndef f(): ...\n", ["GET /a 4 a.f"]),
        ("@bp.before_app_request\ndef m(): ...\n@app.get('/a')\ndef f(): ...\n", ["GET /a 4 a.f < m"]),
        ("app.add_middleware(Auth)\n@app.get('/a')\ndef f(): ...\n", ["GET /a 3 a.f < app.add_middleware(Auth)"]),
        ("app.before_request(m)\n@app.get('/a')\ndef f(): ...\n", ["GET /a 3 a.f < app.before_request(m)"]),
        ("app.teardown(m)\n@app.get('/a')\ndef f(): ...\n", ["GET /a 3 a.f"]),
        ("other.add_middleware(Auth)\n@app.get('/a')\ndef f(): ...\n", ["GET /a 3 a.f"]),
    ],
)  # fmt: skip
def test_routes_of_a_program(text: str, found: list[str]) -> None:
    assert endpoints(FASTAPI + text) == found


def test_the_program_itself_may_bring_guards_and_a_prefix() -> None:
    text = "bp: Blueprint = Blueprint('x', url_prefix='/x')\nx.app = FastAPI(dependencies=[D], middleware=[M])\n"
    routes = "@bp.get('/a')\ndef f(): ...\n@x.app.get('/b')\ndef g(): ...\n"
    assert endpoints(text + routes) == ["GET /x/a 3 a.f", "GET /b 5 a.g < [D], [M]"]


def test_routers_bring_what_is_around_them() -> None:
    main = """\
from b import router, inner
app = FastAPI(dependencies=[Outer])
router.include_router(inner, prefix='/inner')
app.include_router(router, prefix='/v1', dependencies=[Middle])
app.register_blueprint(unknown)
app.include_router()
"""
    part = """\
router = APIRouter(prefix='/users', dependencies=[Own])
inner = APIRouter()
@router.get('/a')
def f(): ...
@inner.get('/b')
def g(): ...
"""
    assert endpoints(main, b=part) == [
        "GET /v1/users/a 3 b.f < [Outer], [Middle], [Own]",
        "GET /v1/users/inner/b 5 b.g < [Outer], [Middle], [Own]",
    ]


def test_a_blueprint_has_the_prefix_of_where_it_is_registered() -> None:
    text = "app = Flask(x)\nbp = Blueprint('b', x)\napp.register_blueprint(bp, url_prefix='/b')\n"
    assert endpoints(f"{text}@bp.post('/a')\ndef f(): ...\n") == ["POST /b/a 4 a.f"]


def test_routers_in_a_circle_end() -> None:
    text = "a = APIRouter(prefix='/a')\nb = APIRouter(prefix='/b')\na.include_router(b)\nb.include_router(a)\n"
    assert endpoints(text + "@a.get('/x')\ndef f(): ...\n") == ["GET " + "/a/b" * 3 + "/a/x 5 a.f"]


FLASK = """\
app = Flask(__name__)
@app.before_request
def check(): ...
class Users(MethodView):
    decorators = [login]
    def get(self): ...
    @admin
    def post(self): ...
    def other(self): ...
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("app.add_url_rule('/u', view_func=Users.as_view('u'))", "/u"),
        ("app.add_url_rule('/u', 'u', Users.as_view('u'))", "/u"),
        ("app.add_url_rule(PATH, 'u', Users.as_view('u'))", "…"),
        ("app.add_url_rule('/u')", ""),
        ("app.add_url_rule('/u', 'u')", ""),
        ("app.add_url_rule('/u', view_func=Gone.as_view('u'))", ""),
        ("app.add_url_rule(rule='/u', view_func=Users.as_view('u'))", ""),
        ("app.add_other('/u', view_func=Users.as_view('u'))", ""),
    ],
)
def test_views_of_flask(line: str, found: str) -> None:
    guards = "check, Users, [login], MethodView"
    assert endpoints(f"{FLASK}{line}\n") == (
        [f"GET {found} 6 a.Users.get < {guards}", f"POST {found} 8 a.Users.post < {guards}, admin"] if found else []
    )


DJANGO = """\
from django.urls import path, re_path
from django.views.generic import CreateView, ListView
from rest_framework.viewsets import ModelViewSet
@require_POST
def save(request): ...
@api_view(['GET', 'PUT'])
def both(request): ...
@require_http_methods(['PATCH'])
def change(request): ...
@require_safe
def safe(request): ...
@other
def plain(request): ...
class Make(Mixin, CreateView):
    def form_valid(self, form): ...
@admin
class Set(ModelViewSet):
    permission_classes = [IsOwner]
    queryset = 1
    def create(self): ...
    def perform_create(self): ...
    def partial_update(self): ...
    def get(self): ...
class Mixin:
    permission_required = 'x'
"""


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("path('save', save)", ["POST /save 5 a.save < require_POST"]),
        ("path('both', both)",
         ["GET /both 7 a.both < api_view(['GET', 'PUT'])", "PUT /both 7 a.both < api_view(['GET', 'PUT'])"]),
        ("path('c', change)", ["PATCH /c 9 a.change < require_http_methods(['PATCH'])"]),
        ("path('s', safe)", ["GET /s 11 a.safe < require_safe"]),
        ("re_path('^p/$', plain)", ["ANY /p/$ 13 a.plain < other"]),
        ("url(PATH, plain)", ["ANY /… 13 a.plain < other"]),
        ("path('p', login_required(never_cache(plain)))", ["ANY /p 13 a.plain < login_required, never_cache, other"]),
        ("path('p')", []),
        ("path('p', include('b.urls'))", []),
        ("path('p', gone)", []),
        ("route('p', plain)", []),
        ("path('m', login(Make.as_view()))",
         ["POST /m 14 a.Make.form_valid < login, Make, Mixin, 'x', CreateView"]),
        ("path('m', Gone.as_view())", []),
    ],
)  # fmt: skip
def test_urls_of_django(entry: str, found: list[str]) -> None:
    assert endpoints(f"{DJANGO}urlpatterns = [{entry}]\n") == found


def test_a_set_of_views_answers_what_its_base_answers() -> None:
    guards = "Set, [IsOwner], admin, ModelViewSet"
    text = "router.register('sets', Set)\nother.register('sets', Set)\nrouter.register('sets')\n"
    text += "router.register('g', Gone)\n"
    assert endpoints(DJANGO + text) == [
        f"GET /sets 23 a.Set.get < {guards}",
        f"POST /sets 17 a.Set.perform_create < {guards}",
        f"PUT /sets 17 - < {guards}",
        f"PATCH /sets 17 a.Set.partial_update < {guards}",
        f"DELETE /sets 17 - < {guards}",
    ]


@pytest.mark.parametrize(
    "text", ["router.register('sets', Set)\nclass Set(ModelViewSet): ...\n", "path('s', f)\ndef f(): ...\n"]
)
def test_what_has_nothing_of_django_has_no_urls(text: str) -> None:
    assert endpoints(text) == []


def test_the_views_of_a_part_are_registered_without_urls_of_its_own() -> None:
    text = "from rest_framework.viewsets import ReadOnlyModelViewSet\nclass Set(ReadOnlyModelViewSet): ...\n"
    assert endpoints(f"{text}router.register(PATH, Set)\nother.register('x', Set)\n") == [
        "GET /… 2 - < Set, ReadOnlyModelViewSet"
    ]


@pytest.mark.parametrize(
    ("base", "methods"),
    [
        ("CreateView", "POST"),
        ("UpdateView", "POST"),
        ("DeleteView", "POST DELETE"),
        ("ListView", "GET"),
        ("DetailView", "GET"),
        ("ModelViewSet", "GET POST PUT PATCH DELETE"),
        ("ListCreateAPIView", "GET POST"),
        ("CreateAPIView", "POST"),
        ("RetrieveUpdateDestroyAPIView", "GET PUT PATCH DELETE"),
        ("DestroyAPIView", "DELETE"),
        ("RetrieveAPIView", "GET"),
        ("ListAPIView", "GET"),
        ("UpdateAPIView", "PUT PATCH"),
        ("View", ""),
    ],
)
def test_what_each_generic_view_answers(base: str, methods: str) -> None:
    text = f"import django\nclass A({base}): ...\nurlpatterns = [path('a', A.as_view())]\n"
    assert [each.split()[0] for each in endpoints(text)] == methods.split()


@pytest.mark.parametrize(
    ("method", "hook"),
    [
        ("POST", "perform_create"), ("POST", "create"), ("POST", "form_valid"), ("PUT", "perform_update"),
        ("PUT", "update"), ("PATCH", "perform_update"), ("PATCH", "partial_update"), ("PATCH", "update"),
        ("DELETE", "perform_destroy"), ("DELETE", "destroy"), ("DELETE", "delete"), ("GET", "retrieve"),
        ("GET", "list"), ("GET", "get_queryset"), ("GET", "get_object"),
    ],
)  # fmt: skip
def test_the_hook_of_a_generic_view_is_its_handler(method: str, hook: str) -> None:
    text = f"class A(ModelViewSet):\n    def {hook}(self): ...\nurlpatterns = [path('a', A.as_view())]\n"
    assert next(each.split(" < ")[0] for each in endpoints(text) if each.startswith(method)).endswith(f"a.A.{hook}")


def test_settings_stand_before_each_view() -> None:
    settings = """\
MIDDLEWARE = ["django.LoginRequiredMiddleware", "django.Gzip", "app.AuditMiddleware"]
REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.IsAuthenticated"], "PAGE": ["x.Page"]}
OTHER = ["IsAuthenticated"]
"""
    text = "import django\ndef f(): ...\nurlpatterns = [path('a', f)]\n"
    assert endpoints(text, settings=settings) == [
        "ANY /a 2 a.f < LoginRequiredMiddleware, AuditMiddleware, IsAuthenticated"
    ]


def test_what_may_run_for_an_endpoint() -> None:
    text = """\
app = FastAPI(dependencies=[Depends(check)])
def check():
    look_up()
def look_up(): ...
class Owner:
    def has_permission(self): ...
    def other(self): ...
@app.get('/a')
@guarded(Owner)
def f():
    work()
def work(): ...
"""
    program = program_of({"a.py": text})
    (endpoint,) = python_endpoints(program)
    assert [each.name for each in before(program, endpoint)] == ["a.check", "a.Owner.has_permission"]
    assert [each.name for each in code_of(program, endpoint)] == [
        "a.f",
        "a.work",
        "a.check",
        "a.look_up",
        "a.Owner.has_permission",
    ]
