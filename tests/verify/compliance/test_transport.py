"""SOC2-005 and PCI-003: data travels encrypted, by a version of TLS that holds, to a machine that proved who it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from omni.verify.compliance.transport import insecure

Broken = Callable[[str, Mapping[str, str]], list[str]]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.acme.io/v1", "http://api.acme.io is not encrypted"),
        ("https://api.acme.io/v1", ""),
        ("ws://api.acme.io", "ws://api.acme.io is not encrypted"),
        ("redis://cache.acme.io:6379/0", "redis://cache.acme.io is not encrypted"),
        ("redis://cache:6379/0", "redis://cache is not encrypted"),
        ("amqp://user:x@queue.acme.io", "amqp://queue.acme.io is not encrypted"),
        ("ftp://files.acme.io", "ftp://files.acme.io is not encrypted"),
        ("ldap://people.acme.io", "ldap://people.acme.io is not encrypted"),
        ("smtp://mail.acme.io", "smtp://mail.acme.io is not encrypted"),
        ("mqtt://things.acme.io", "mqtt://things.acme.io is not encrypted"),
        ("http://localhost:8000", ""),
        ("http://127.0.0.1", ""),
        ("http://0.0.0.0:80", ""),
        ("http://[::1]:80", ""),
        ("http://app.localhost", ""),
        ("http://printer.local", ""),
        ("redis://host.docker.internal", ""),
        ("http://www.w3.org/2000/svg", ""),
        ("http://schemas.acme.com/x", ""),
        ("redis://w3.org", "redis://w3.org is not encrypted"),
        ("http://backend:8000", ""),
        ("http://db.inside.acme", ""),
        ("http://{host}.acme.io", ""),
        ("http://$HOST.acme.io", ""),
        ("http://%s.acme.io", ""),
        ("http://[broken", ""),
        ("http:///path", ""),
        ("nothing", ""),
        ("postgresql://db.acme.io/app", "the connection to postgresql://db.acme.io does not ask for TLS"),
        ("postgresql+asyncpg://db.acme.io/app", "the connection to postgresql://db.acme.io does not ask for TLS"),
        ("postgres://db.acme.io/app?sslmode=prefer", "the connection to postgres://db.acme.io does not ask for TLS"),
        ("postgres://db.acme.io/app?sslmode=require", ""),
        ("postgresql://db.acme.io/app?sslmode=verify-ca", ""),
        ("postgresql+asyncpg://db.acme.io/app?ssl=true", ""),
        ("mysql://db.acme.io/app", "the connection to mysql://db.acme.io does not ask for TLS"),
        ("mysql://db.acme.io/app?ssl-mode=REQUIRED", ""),
        (
            "mysql+pymysql://db.acme.io/app?ssl_mode=disabled",
            "the connection to mysql://db.acme.io does not ask for TLS",
        ),
        ("mysql://db.acme.io/app?ssl_ca=ca.pem", ""),
        ("mariadb://db.acme.io/app", "the connection to mariadb://db.acme.io does not ask for TLS"),
        ("mariadb://db.acme.io/app?ssl=true", ""),
        ("mongodb://db.acme.io/app", "the connection to mongodb://db.acme.io does not ask for TLS"),
        ("mongodb://db.acme.io/app?tls=true", ""),
        ("mongodb+srv://db.acme.io/app", ""),
    ],
)
def test_addresses(url: str, why: str) -> None:
    assert insecure(url, ("db.inside.acme",)) == why


PROGRAM = '''"""See http://docs.acme.io first."""
import smtplib, ftplib
from smtplib import SMTP

API = "http://api.acme.io/v1"  # http://comment.acme.io
OTHER = f"see http://text.acme.io"


def call():
    """http://docstring.acme.io"""
    return get("ws://push.acme.io")


def mail(host):
    smtplib.SMTP(host)
    smtplib.SMTP("localhost")
    SMTP("mail.acme.io", use_tls=True)
    SMTP("mail.acme.io")
    other.SMTP(host)
    ftplib.FTP(host)
    smtplib.SMTP_SSL(host)


def encrypted(host):
    smtplib.SMTP(host).starttls()


SECURE_SSL_REDIRECT = False
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = True
'''


def test_programs_and_configuration(broken: Broken) -> None:
    files = {
        "app/main.py": PROGRAM,
        "src/app.ts": 'const a = "http://api.acme.io";\n// "http://comment.acme.io"\nconst b = `redis://x.acme.io`;\n',
        ".env": "# http://comment.acme.io\nBROKER=amqp://queue.acme.io\nCACHE=redis://cache:6379\n",
        "compose.yaml": "x: 1\nservices:\n  app:\n    image: app\n  cache:\n    image: redis\n",
        "package.json": '{"homepage": "http://home.acme.io"}\n',
        "order.schema.json": '{"$id": "http://id.acme.io"}\n',
        "settings.json": '{\n"api": "http://api.acme.io"}\n',
        "notes.md": "http://notes.acme.io\n",
    }
    assert broken("SOC2-005", files) == [
        "app/main.py:5 http://api.acme.io is not encrypted",
        "app/main.py:11 ws://push.acme.io is not encrypted",
        ".env:2 amqp://queue.acme.io is not encrypted",
        "settings.json:2 http://api.acme.io is not encrypted",
        "src/app.ts:1 http://api.acme.io is not encrypted",
        "src/app.ts:3 redis://x.acme.io is not encrypted",
        "app/main.py:15 `smtplib.SMTP` is used without TLS",
        "app/main.py:18 `SMTP` is used without TLS",
        "app/main.py:20 `ftplib.FTP` is used without TLS",
        "app/main.py:28 `SECURE_SSL_REDIRECT = False` lets data travel unencrypted",
        "app/main.py:29 `SESSION_COOKIE_SECURE = False` lets data travel unencrypted",
    ]


@pytest.mark.parametrize(
    ("block", "plain"),
    [
        ("listen 80;", True),
        ("listen [::]:80;", True),
        ("listen 10.0.0.1:80;", True),
        ("listen 8080;", False),
        ("listen 443 ssl;", False),
        ("listen 80; listen 443 ssl;", False),
        ("listen 80; return 301 https://$host$request_uri;", False),
        ("listen 80; return 301 http://$host$request_uri;", True),
        ("listen 80; location / { rewrite ^ https://$host permanent; }", False),
        ("listen 80; location / { proxy_pass http://app; }", True),
    ],
)
def test_servers(broken: Broken, block: str, plain: bool) -> None:
    text = f"server {{ listen 443 ssl; }}\n\nserver {{\n  {block}\n}}\n# server {{ listen 80; }}\n"
    message = "the server answers on port 80 and does not redirect to https"
    assert broken("SOC2-005", {"nginx/site.conf": text}) == ([f"nginx/site.conf:4 {message}"] if plain else [])


TLS = """
context = SSLContext(ssl.PROTOCOL_TLSv1)  # PROTOCOL_TLSv1
context = SSLContext(ssl.PROTOCOL_SSLv3)  # PROTOCOL_SSLv3
context = SSLContext(ssl.PROTOCOL_TLSv1_2)
context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = ssl.TLSVersion.TLSv1_1  # TLSVersion.TLSv1_1
context.minimum_version = ssl.TLSVersion.TLSv1_3
min_tls_version = "1.0"  # min_tls_version = "1.0
min_tls_version = "1.2"
get(url, verify=False)  ! verify=False
get(url, verify=True)
context.check_hostname = False  ! check_hostname = False
context.verify_mode = ssl.CERT_NONE  ! CERT_NONE
context = ssl._create_unverified_context()  ! _create_unverified_context
"""


def test_versions_and_certificates(broken: Broken) -> None:
    old, unchecked = [], []
    for number, line in enumerate(TLS.splitlines(), 1):
        if "  # " in line:
            shown = line.rpartition("  # ")[2]
            old.append(f"app/tls.py:{number} a version of TLS before 1.2 is allowed: `{shown}`")
        if "  ! " in line:
            shown = line.rpartition("  ! ")[2]
            unchecked.append(f"app/tls.py:{number} the other side's certificate is not checked: `{shown}`")
    code = "\n".join(line.partition("  # ")[0].partition("  ! ")[0] for line in TLS.splitlines())
    assert broken("PCI-003", {"app/tls.py": code}) == old + unchecked


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("nginx.conf", "ssl_protocols TLSv1.2 TLSv1.3;\nssl_protocols TLSv1.1 TLSv1.2;\n# ssl_protocols SSLv3;\n", [2]),
        ("httpd.conf", "SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1\nSSLProtocol all\nSSLProtocol +TLSv1\n", [2, 3]),
        ("haproxy.cfg", "ssl-min-ver TLSv1.0\nssl-min-ver TLSv1.2\n", [1]),
        ("Caddyfile", "protocols tls1.0\nprotocols tls1.2\n", [1]),
        ("main.tf", 'min_tls_version = "TLS1_0"\nminimum_protocol_version = "TLSv1.2_2021"\n', [1]),
        ("main.go", "MinVersion: tls.VersionTLS10\n", []),
        ("src/a.ts", 'a({ minVersion: "TLSv1.1" });\nb({ minVersion: "TLSv1.2" });\n', [1]),
        ("src/c.ts", "c({ rejectUnauthorized: true });\nc({ rejectUnauthorized: false });\n", [2]),
        ("src/b.js", 'a({ secureProtocol: "TLSv1_method" });\n// minVersion: "TLSv1"\n', [1]),
        ("deploy.sh", "export NODE_TLS_REJECT_UNAUTHORIZED=0\n", [1]),
        ("etc/sites-enabled/shop", "proxy_ssl_verify off;\nproxy_ssl_verify on;\n", [1]),
        ("values.yaml", "ssl_verify: false\nssl_verify: true\n", [1]),
    ],
)  # fmt: skip
def test_configuration_of_servers(broken: Broken, path: str, text: str, lines: list[int]) -> None:
    assert [int(each.split(":")[1].split(" ")[0]) for each in broken("PCI-003", {path: text})] == lines
