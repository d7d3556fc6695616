from __future__ import annotations

import pytest

from omni.verify.languages import language


@pytest.mark.parametrize(
    ("path", "first_line", "expected"),
    [
        ("src/a.py", b"", "python"),
        ("A.PY", b"", "python"),
        ("docker/Dockerfile", b"", "dockerfile"),
        ("Dockerfile.dev", b"", "dockerfile"),
        ("Dockerfile.jinja", b"", "jinja"),
        ("web.dockerfile", b"", "dockerfile"),
        (".env", b"", "env"),
        (".env.example", b"", "env"),
        (".github/workflows/ci.yml", b"", "yaml"),
        ("package-lock.json", b"", "lock"),
        ("bin/run", b"#!/bin/sh", "shell"),
        ("bin/run", b"#!/usr/bin/env python3", "python"),
        ("bin/run", b"#!/usr/bin/env -S python3.12 -u", "python"),
        ("bin/run", b"#!", ""),
        ("bin/run", b"echo", ""),
        ("README", b"", ""),
    ],
)
def test_language_is_told_by_name_ending_or_interpreter(path: str, first_line: bytes, expected: str) -> None:
    assert language(path, first_line) == expected


NAMES = {
    "binary": "a.avif",
    "c": "a.c a.h",
    "cmake": "CMakeLists.txt",
    "cpp": "a.cc a.cpp a.hpp",
    "csharp": "a.cs",
    "css": "a.css a.less a.scss",
    "csv": "a.csv",
    "dockerfile": "Containerfile Containerfile.dev Dockerfile a.dockerfile",
    "env": "a.env .env.production",
    "go": "a.go",
    "go-module": "go.mod",
    "html": "a.htm a.html",
    "ignore": ".gitignore .dockerignore",
    "ini": "a.cfg a.ini",
    "java": "a.java",
    "javascript": "a.cjs a.js a.jsx a.mjs",
    "jinja": "a.jinja a.j2 containerfile.j2",
    "json": "a.json",
    "json5": "a.json5 a.jsonc",
    "just": "justfile",
    "kotlin": "a.kt",
    "lock": "a.lock poetry.lock uv.lock Cargo.lock package-lock.json pnpm-lock.yaml yarn.lock",
    "make": "Makefile",
    "markdown": "a.markdown a.md",
    "notebook": "a.ipynb",
    "php": "a.php",
    "powershell": "a.ps1",
    "protobuf": "a.proto",
    "python": "a.py a.pyi",
    "rst": "a.rst",
    "ruby": "a.rb Gemfile",
    "rust": "a.rs",
    "shell": ".bashrc a.bash a.ksh a.sh a.zsh",
    "sql": "a.sql",
    "svelte": "a.svelte",
    "svg": "a.svg",
    "swift": "a.swift",
    "terraform": "a.tf",
    "text": "LICENSE a.txt",
    "toml": "Pipfile a.toml",
    "typescript": "a.cts a.mts a.ts a.tsx",
    "vue": "a.vue",
    "xml": "a.xml",
    "yaml": "a.yaml a.yml",
    "": "a .a py a.unknown environment",
}


@pytest.mark.parametrize("expected", NAMES)
def test_each_language_by_the_names_of_its_files(expected: str) -> None:
    assert {name: language(f"folder.py/{name}") for name in NAMES[expected].split()} == dict.fromkeys(
        NAMES[expected].split(), expected
    )


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        *((name, "shell") for name in ("ash", "bash", "dash", "ksh", "sh")),
        *((name, name) for name in ("perl", "php", "python", "ruby")),
        ("node", "javascript"),
        ("fish", ""),
        ("env", ""),
    ],
)
def test_each_interpreter_is_known(program: str, expected: str) -> None:
    assert language("run", f"#!/usr/bin/{program} -x".encode()) == expected
    assert language("run", f"#! /usr/bin/env -i {program}20.1".encode()) == expected
    assert language("run.sql", f"#!/usr/bin/{program}".encode()) == "sql"
