"""Who may call an endpoint: whether it asks for a login, for a second factor, for a role.

A guard is believed for what it does, where it is the program's own (it raises, aborts, redirects or answers 401/403),
and for its name, where a library brings it. So `get_current_user` that returns None for a stranger is no guard.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.handlers import Endpoint
from omni.verify.analysis.program import Routine
from omni.verify.analysis.python import dotted
from omni.verify.compliance.facts import Facts, Place
from omni.verify.parsing import walk

OPEN = re.compile(
    r"(^|/)_?(health|healthz|healthcheck|live|livez|liveness|ready|readyz|readiness|ping|status|version|metrics|login|log-in|"
    r"log_in|signin|sign-in|logout|log-out|signup|sign-up|sign_up|register|registration|token|refresh|oauth\w*|callback|"
    r"auth|session|sessions|password-?reset|reset-?password|forgot-?password|verify-?email|confirm-?email|favicon\.ico|robots\.txt|static|"
    r"assets|docs|redoc|openapi\.json|schema|\.well-known|webhooks?|csrf|jwks\.json)(/|\.|$)",
    re.IGNORECASE,
)
"""Health checks, and the way in: a login can't ask for a login. Webhooks are signed instead."""
NAMED = re.compile(
    r"log(ged|in|_in)?_?(in|required)|signed_?in|LoginRequired|current_?(active_?)?(user|account|member)|get_user|auth(enticat|oriz|oris|_required|_guard|Guard|\b)|"
    r"require\w*|permission|IsAuthenticated|IsAdmin|jwt|bearer|api_?key|token|\bSecurity\(|HTTPBasic|HTTPBearer|"
    r"OAuth2|verify_(token|session|user)|ensure(Auth|Login)|passport\.|protect|UserPassesTest|staff_member|@roles?_|has_role|"
    r"session_required|signed_in|RequestUser|Principal",
    re.IGNORECASE,
)
REFUSES = re.compile(
    r"\braise\b|abort\(|redirect|\b40[13]\b|Unauthorized|Forbidden|PermissionDenied|handle_no_permission|sendStatus\(40[13]|"
    r"auto_error|OAuth2PasswordBearer|HTTPBearer|APIKeyHeader",
    re.IGNORECASE,
)
SCHEME = re.compile(r"\b(OAuth2\w*|HTTPBearer|HTTPBasic|HTTPDigest|APIKey(Header|Cookie|Query))\(")
KNOWS_WHO = re.compile(r"user|token|session|auth|account|api_?key|credential|principal|login|bearer", re.IGNORECASE)
SECOND_FACTOR = re.compile(
    r"\b\w*(mfa|two_?factor|2fa|second_?factor|totp|otp_|_otp|otp_required|webauthn|passkey|fido|step_?up)\w*|[\"'](amr|acr)[\"']|\.amr\b|\.acr\b",
    re.IGNORECASE,
)
PRIVILEGED_PATH = re.compile(
    r"(^|/)(admin|administration|staff|internal|manage|backoffice|impersonate|roles?|permissions?)(/|$|\b)",
    re.IGNORECASE,
)
GRANTS = re.compile(
    r"\.(role|roles|is_admin|is_superuser|is_staff|permissions|scopes)\s*(=(?!=)|\.(append|add|update)\()|isAdmin\s*[:=](?!=)\s*|"
    r"\brole\s*:\s*(req\.body|payload)",
)
LIMITS = re.compile(
    r"require_?\w*(role|admin|permission|scope|staff|owner)|has_?(role|perm|permission|scope)\w*|permission_required|is_?(admin|staff|superuser|owner)\b|"
    r"IsAdmin|UserPassesTest|PermissionRequired|check_?(permission|access|role|policy)|authori[sz]e\w*\(|allow_?roles?|roles?_(required|allowed|accepted)|"
    r"\brbac\b|\babac\b|casbin|oso\.|enforce\(|can\w*\(|SecurityScopes|Security\(|@Roles|RolesGuard|hasRole|requireRole|ensureAdmin|"
    r"staff_member_required|user_passes_test|DjangoModelPermissions",
)
COMPARES = re.compile(
    r"(\.roles?\b|role_id|is_admin|is_staff|is_superuser|isAdmin|permissions|scopes|owner_id|author_id|user_id|userId|"
    r"ownerId|created_by|\bowner\b)"
    r"[^\n]{0,120}(!=|==|not in|\bin\b|is not|!==|===|includes\()|(!=|==|not in|\bin\b|!==|===)[^\n]{0,120}"
    r"(\.role\b|is_admin|permissions|owner_id|author_id|user_id|ownerId)"
    r"|if (not )?\w+(\.\w+)*\.(is_admin|is_staff|is_superuser)",
)


def open_endpoints(facts: Facts) -> Iterator[Place]:
    """SOC2-001"""
    told: set[tuple[str, int, str]] = set()
    for endpoint in facts.endpoints:
        key = (endpoint.file, endpoint.line, endpoint.path)
        if endpoint.method in {"OPTIONS", "HEAD"} or OPEN.search(endpoint.path) or key in told:
            continue
        told.add(key)
        if not asks_who(facts, endpoint):
            yield Place(endpoint.file, endpoint.line, f"{endpoint.shown} asks nobody who they are")


def asks_who(facts: Facts, endpoint: Endpoint) -> bool:
    if endpoint.text:
        return bool(NAMED.search(endpoint.text) and (REFUSES.search(endpoint.text) or not _only_names(endpoint)))
    for guard in endpoint.guards:
        own = list(facts.program.referred(guard.module, guard.node))
        for node in walk(guard.node):
            if (
                isinstance(node, ast.Name | ast.Attribute)
                and not own
                and NAMED.search(dotted(node))
                and not _is_data(node)
            ):
                return True
        if any(_refuses(facts, each) for each in own):
            return True
    for each in facts.before(endpoint):
        if _refuses_itself(each):
            return True
    if endpoint.handler is None:
        return False
    return any(_refuses_itself(each, by_value=True) for each in facts.code(endpoint))


def _only_names(endpoint: Endpoint) -> bool:
    """Whether the only sign is a word such as `token` in the handler itself, not a function before it."""
    first = endpoint.text.split("=>", 1)[0]
    return not NAMED.search(first)


def _is_data(node: ast.AST) -> bool:
    """`TokenCreate`, `UserPermissionIn`: a class of what is sent, not a guard."""
    return isinstance(node, ast.Name) and bool(
        re.search(r"(Create|Update|In|Out|Read|Schema|Request|Response|Form|Body)$", node.id)
    )


def _refuses(facts: Facts, routine: Routine) -> bool:
    """Whether it, or what it calls, turns strangers away."""
    reached = facts.program.reach(routine)
    return any(_refuses_itself(each) for each in reached) or any(_takes_scheme(facts, each) for each in reached)


def _takes_scheme(facts: Facts, routine: Routine) -> bool:
    """A parameter that a security scheme of FastAPI fills, which answers 401 by itself: OAuth2PasswordBearer(…)."""
    for node in walk(routine.node.args):
        constant = facts.program.constant(routine.module, dotted(node)) if isinstance(node, ast.Name) else None
        made = ast.unparse(constant[1]) if constant is not None else ""
        if SCHEME.search(made) and "auto_error=False" not in made:
            return True
    return False


def _refuses_itself(routine: Routine, *, by_value: bool = False) -> bool:
    text = routine.body if by_value else routine.text
    if not KNOWS_WHO.search(text):
        return False
    strong = re.search(
        r"\b40[13]\b|Unauthori[sz]ed|Unauthenticated|Forbidden|PermissionDenied|AccessDenied|NotAuthenticated|NotLoggedIn|auto_error|OAuth2Password|HTTPBearer",
        text,
    )
    return bool(strong) or (not by_value and bool(REFUSES.search(text)) and bool(NAMED.search(routine.node.name)))


def without_second_factor(facts: Facts) -> Iterator[Place]:
    """HIPAA-002"""
    health = facts.models_with("health")
    told: set[tuple[str, int]] = set()
    for endpoint in facts.endpoints:
        touched = next((each.model.name for each in facts.changes(endpoint) if each.model.name in health), "")
        if not touched or (endpoint.file, endpoint.line) in told:
            continue
        told.add((endpoint.file, endpoint.line))
        said = "\n".join([endpoint.text, *(ast.unparse(each.node) for each in endpoint.guards)])
        checked = any(SECOND_FACTOR.search(each.text) and REFUSES.search(each.text) for each in facts.code(endpoint))
        if not checked and not _library_factor(facts, endpoint, said):
            yield Place(endpoint.file, endpoint.line, f"{endpoint.shown} opens {touched} after a password alone")


def _library_factor(facts: Facts, endpoint: Endpoint, said: str) -> bool:
    """A guard with such a name that no function of the program is behind."""
    if not SECOND_FACTOR.search(said):
        return False
    if endpoint.text:
        return bool(REFUSES.search(endpoint.text)) or not any(
            SECOND_FACTOR.search(name) for name in facts.scripts.functions if re.search(rf"\b{re.escape(name)}\b", said)
        )
    guards = [each for each in endpoint.guards if SECOND_FACTOR.search(ast.unparse(each.node))]
    return any(not list(facts.program.referred(each.module, each.node)) for each in guards)


def without_limits(facts: Facts) -> Iterator[Place]:
    """SOC2-004"""
    told: set[tuple[str, int]] = set()
    for endpoint in facts.endpoints:
        why = _privileged(facts, endpoint)
        if not why or (endpoint.file, endpoint.line) in told:
            continue
        told.add((endpoint.file, endpoint.line))
        text = facts.text(endpoint)
        handler = endpoint.handler.node.name if endpoint.handler is not None else ""
        limited = LIMITS.search(text.replace(f"def {handler}(", "")) or (COMPARES.search(text) and REFUSES.search(text))
        if not limited:
            yield Place(endpoint.file, endpoint.line, f"{endpoint.shown} {why}, and any user may call it")


def _privileged(facts: Facts, endpoint: Endpoint) -> str:
    """Why only some should be allowed to."""
    if PRIVILEGED_PATH.search(endpoint.path):
        return "is an administrator's action by its path"
    own = [endpoint.handler] if endpoint.handler is not None else []
    reached = [each.body for start in own for each in facts.program.reach(start)]
    if GRANTS.search("\n".join([endpoint.text, *reached])):
        return "changes what a user may do"
    others = re.search(r"/(users|accounts|members)/[{<:(]", endpoint.path)
    if endpoint.method == "DELETE" and others:
        return "deletes another person's account"
    return ""
