"""How data travels: addresses and settings that leave it plain, old versions of TLS, certificates that nobody checks.

An address counts where a program or a configuration would use it: not in comments, namespaces of XML, documentation or
tests, and not when it stays on the machine (localhost, a service of a compose file in the same project).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from omni.verify.analysis.python import dotted, keyword, last_name, text_of
from omni.verify.compliance.facts import Facts, Place
from omni.verify.files import File
from omni.verify.parsing import walk

CONFIGURATION = frozenset({"env", "yaml", "toml", "ini", "json", "terraform", "dockerfile", "shell"})
URL = re.compile(
    r"\b(?P<scheme>http|ws|ftp|redis|amqp|mqtt|ldap|smtp|mongodb(?:\+srv)?|postgres(?:ql)?(?:\+\w+)?|mysql(?:\+\w+)?|mariadb(?:\+\w+)?)"
    r"://(?P<rest>[^\s\"'`<>)},;]+)"
)
NAMESPACES = re.compile(
    r"^(www\.)?(w3\.org|example\.(com|org|net)|schemas?\.[\w.]+|json-schema\.org|purl\.org|xmlns\.com|ns\.adobe\.com|"
    r"java\.sun\.com|maven\.apache\.org|opengis\.net|docbook\.org|xml\.org|tempuri\.org|swagger\.io|relaxng\.org|ogp\.me)",
)
LOCAL = re.compile(
    r"^(localhost|127\.|0\.0\.0\.0|\[?::1\]?|host\.docker\.internal|.*\.localhost|.*\.local|testserver|unix)"
)
SECURE_OPTION = {
    "postgres": re.compile(r"sslmode=(require|verify-ca|verify-full)|ssl=(true|require|verify)", re.IGNORECASE),
    "mysql": re.compile(r"ssl[-_]?(mode|ca|verify)?\w*=(?!disabled|false|0)", re.IGNORECASE),
    "mariadb": re.compile(r"ssl[-_]?(mode|ca|verify)?\w*=(?!disabled|false|0)", re.IGNORECASE),
    "mongodb": re.compile(r"(tls|ssl)=true", re.IGNORECASE),
}
OLD_TLS = re.compile(
    r"ssl_protocols\s[^;]{0,300}\b(SSLv[23]|TLSv1(?:\.1)?(?![.\d]))|SSLProtocol\s[^\n]{0,300}(?<![-\w])(?:\+?(?:SSLv3|TLSv1(?:\.1)?)(?![.\d])|all\b(?![^\n]{0,300}-TLSv1\b))|"
    r"ssl-min-ver\s+(SSLv3|TLSv1\.[01])|minVersion[\"']?\s*[:=]\s*[\"']?(VersionTLS1[01]|TLSv1(\.1)?(?![.\d]))|"
    r"(min(imum)?_?(tls|protocol)_?version|ssl_min_protocol_version|tls_min_version)[\"']?\s*[:=]\s*[\"']?(TLSv?_?1[._]?[01]?\b(?![._]?[23])|SSLv3|1\.[01])|"
    r"PROTOCOL_(SSLv[23]|TLSv1(_1)?)\b(?!_2)|TLSVersion\.(SSLv3|TLSv1(_1)?)\b(?!_2)|secureProtocol\s*:\s*[\"']TLSv1(_1)?_method|"
    r"protocols\s+tls1\.[01]\b",
    re.IGNORECASE,
)
UNCHECKED = re.compile(
    r"\bverify\s*=\s*False|CERT_NONE|_create_unverified_context|check_hostname\s*=\s*False|rejectUnauthorized\s*:\s*false|"
    r"NODE_TLS_REJECT_UNAUTHORIZED\s*[=:]\s*[\"']?0|InsecureSkipVerify\s*:\s*true|ssl_verify\s*[:=]\s*[\"']?(false|off|none)|proxy_ssl_verify\s+off",
    re.IGNORECASE,
)
SERVERS = re.compile(
    r"(^|/)(nginx|haproxy|httpd|apache2?|caddyfile|traefik|envoy|ssl|tls)[^/]*|\.(conf|vhost|cfg|tf)$|(^|/)(sites-(available|enabled)|conf\.d)/",
    re.IGNORECASE,
)


def old_tls(facts: Facts) -> Iterator[Place]:
    """PCI-003"""
    for path, text in _texts(facts):
        for found in OLD_TLS.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Place(path, line, f"a version of TLS before 1.2 is allowed: `{found[0].strip()[:80]}`")
        for found in UNCHECKED.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Place(path, line, f"the other side's certificate is not checked: `{found[0]}`")


def plain_transport(facts: Facts) -> Iterator[Place]:
    """SOC2-005"""
    inside = _compose_services(facts)
    for path, line, url in _addresses(facts):
        if why := insecure(url, inside):
            yield Place(path, line, why)
    yield from _mail(facts)
    for path, text in _texts(facts):
        for found in re.finditer(r"\bSECURE_SSL_REDIRECT\s*=\s*False|\bSESSION_COOKIE_SECURE\s*=\s*False", text):
            yield Place(path, text.count("\n", 0, found.start()) + 1, f"`{found[0]}` lets data travel unencrypted")
        if SERVERS.search(path):
            yield from _plain_server(path, text)


def insecure(url: str, inside: Iterable[str] = ()) -> str:
    """Why data sent to this address is not encrypted; empty when it is, or does not leave the machine."""
    found = URL.match(url)
    if found is None:
        return ""
    scheme = found["scheme"].split("+")[0]
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    if not host or "{" in host or "$" in host or "%" in host or LOCAL.match(host) or host in inside:
        return ""
    if scheme in {"http", "ws"} and (NAMESPACES.match(host) or "." not in host):
        return ""
    shown = f"{scheme}://{host}"
    family = {"postgresql": "postgres"}.get(scheme, scheme)
    if family in SECURE_OPTION:
        if url.startswith("mongodb+srv") or SECURE_OPTION[family].search(url):
            return ""
        return f"the connection to {shown} does not ask for TLS"
    return f"{shown} is not encrypted"


def _texts(facts: Facts) -> Iterator[tuple[str, str]]:
    """(path, text without comments) of code and configuration."""
    for file in facts.context.files:
        if file.language in CONFIGURATION | {"python", "javascript", "typescript"} or SERVERS.search(file.path):
            yield file.path, _bare(file, facts)


def _bare(file: File, facts: Facts) -> str:
    if file.path in facts.scripts.texts:
        return facts.scripts.texts[file.path]
    comment = re.compile(r"(?<![\w\"'&=/:])#[^\n]*", re.MULTILINE)
    return comment.sub(lambda found: " " * len(found[0]), facts.context.text(file))


def _addresses(facts: Facts) -> Iterator[tuple[str, int, str]]:
    """(path, line, address) where one would be used."""
    for module in facts.program.modules.values():
        documentation = {id(each.value) for each in walk(module.tree) if isinstance(each, ast.Expr)}
        for node in walk(module.tree):
            written = text_of(node) or ""
            if URL.match(written) and id(node) not in documentation:
                yield module.path, getattr(node, "lineno", 1), written
    for file in facts.context.files:
        if file.language in CONFIGURATION and not re.search(
            r"(^|/)(package(-lock)?|composer)\.json$|schema", file.path
        ):
            yield from _written(file.path, _bare(file, facts))
    for path, text in facts.scripts.texts.items():
        for found in re.finditer(r"[\"'`]((?:http|ws|redis|amqp|postgres\w*|mysql|mongodb)://[^\"'`]+)[\"'`]", text):
            yield path, text.count("\n", 0, found.start()) + 1, found[1]


def _written(path: str, text: str) -> Iterator[tuple[str, int, str]]:
    for found in URL.finditer(text):
        yield path, text.count("\n", 0, found.start()) + 1, found[0]


def _compose_services(facts: Facts) -> frozenset[str]:
    """Names of services of the project's compose files: their traffic stays on the machine."""
    names: set[str] = set()
    for file in facts.context.files:
        if re.search(r"(^|/)(docker-)?compose[\w.-]*\.ya?ml$", file.path):
            text = facts.context.text(file)
            body = text.partition("services:")[2]
            names |= set(re.findall(r"^  ([\w-]+):\s*$", body, re.MULTILINE))
    return frozenset(names)


def _mail(facts: Facts) -> Iterator[Place]:
    """`smtplib.SMTP` without `starttls` in the same function."""
    for routine in facts.program.routines.values():
        for node in walk(routine.node):
            if not isinstance(node, ast.Call) or last_name(node.func) not in {"SMTP", "FTP"}:
                continue
            if not dotted(node.func).startswith(("smtplib", "SMTP", "ftplib", "FTP")):
                continue
            local = node.args and isinstance(node.args[0], ast.Constant) and LOCAL.match(str(node.args[0].value))
            if not local and "starttls" not in routine.body and keyword(node, "use_tls") is None:
                yield Place(routine.path, node.lineno, f"`{dotted(node.func)}` is used without TLS")


def _plain_server(path: str, text: str) -> Iterator[Place]:
    """A server block that listens on port 80 and does not only redirect."""
    for found in re.finditer(r"\bserver\s*\{", text):
        depth, at = 1, found.end()
        while at < len(text) and depth:
            depth += (text[at] == "{") - (text[at] == "}")
            at += 1
        block = text[found.end() : at]
        listens = re.search(r"\blisten\s+(?:[\d.:\[\]*]+:)?80\b", block)
        if listens and not re.search(
            r"return\s+30[1278]\s+https|rewrite\s[^;]*https|listen\s[^;]*\b443\b[^;]*ssl", block
        ):
            line = text.count("\n", 0, found.end() + listens.start()) + 1
            yield Place(path, line, "the server answers on port 80 and does not redirect to https")
