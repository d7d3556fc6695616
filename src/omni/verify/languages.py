"""Which language a file is in: by its name, its ending, or the interpreter in its first line."""

from __future__ import annotations

from pathlib import PurePosixPath

BY_NAME = {
    ".bashrc": "shell",
    ".gitignore": "ignore",
    ".dockerignore": "ignore",
    "cmakelists.txt": "cmake",
    "containerfile": "dockerfile",
    "dockerfile": "dockerfile",
    "gemfile": "ruby",
    "go.mod": "go-module",
    "justfile": "just",
    "license": "text",
    "makefile": "make",
    "pipfile": "toml",
    "poetry.lock": "lock",
    "uv.lock": "lock",
    "cargo.lock": "lock",
    "package-lock.json": "lock",
    "pnpm-lock.yaml": "lock",
    "yarn.lock": "lock",
}

BY_ENDING = {
    ".avif": "binary",
    ".bash": "shell",
    ".c": "c",
    ".cc": "cpp",
    ".cfg": "ini",
    ".cjs": "javascript",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".css": "css",
    ".csv": "csv",
    ".cts": "typescript",
    ".dockerfile": "dockerfile",
    ".env": "env",
    ".go": "go",
    ".h": "c",
    ".hpp": "cpp",
    ".htm": "html",
    ".html": "html",
    ".ini": "ini",
    ".ipynb": "notebook",
    ".java": "java",
    ".jinja": "jinja",
    ".j2": "jinja",
    ".js": "javascript",
    ".json": "json",
    ".json5": "json5",
    ".jsonc": "json5",
    ".jsx": "javascript",
    ".ksh": "shell",
    ".kt": "kotlin",
    ".less": "css",
    ".lock": "lock",
    ".markdown": "markdown",
    ".md": "markdown",
    ".mjs": "javascript",
    ".mts": "typescript",
    ".php": "php",
    ".proto": "protobuf",
    ".ps1": "powershell",
    ".py": "python",
    ".pyi": "python",
    ".rb": "ruby",
    ".rs": "rust",
    ".rst": "rst",
    ".scss": "css",
    ".sh": "shell",
    ".sql": "sql",
    ".svg": "svg",
    ".svelte": "svelte",
    ".swift": "swift",
    ".tf": "terraform",
    ".toml": "toml",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".txt": "text",
    ".vue": "vue",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".zsh": "shell",
}

BY_INTERPRETER = {
    "ash": "shell",
    "bash": "shell",
    "dash": "shell",
    "ksh": "shell",
    "node": "javascript",
    "perl": "perl",
    "php": "php",
    "python": "python",
    "ruby": "ruby",
    "sh": "shell",
}


def language(path: str, first_line: bytes = b"") -> str:
    """`python`, `yaml`, …; empty when neither the name nor a `#!` line tells."""
    name = path.rpartition("/")[2].lower()
    if name in BY_NAME:
        return BY_NAME[name]
    ending = f".{name.rpartition('.')[2]}" if "." in name[1:] else ""
    if name.startswith(("dockerfile.", "containerfile.")) and BY_ENDING.get(ending) != "jinja":
        return "dockerfile"
    if name == ".env" or name.startswith(".env."):
        return "env"
    return BY_ENDING.get(ending) or _interpreter(first_line)


def _interpreter(first_line: bytes) -> str:
    """`#!/usr/bin/env -S python3.12 -u` → `python`."""
    if not first_line.startswith(b"#!"):
        return ""
    words = [word for word in first_line[2:].decode("ascii", "replace").split() if not word.startswith("-")]
    names = [PurePosixPath(word).name.rstrip("0123456789.") for word in words]
    named = next((name for name in names if name != "env"), "")
    return BY_INTERPRETER.get(named, "")
