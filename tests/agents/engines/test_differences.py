"""Differences in git's format, and git's own opinion of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.agents.engines.differences import unified
from omni.agents.folder import Folder

FILES = st.dictionaries(
    st.sampled_from(["a.py", "b/c.txt", "b/d e.md", "ü.txt"]),
    st.tuples(st.text(st.sampled_from("ab \n\r\t\f\x85\u2028é")), st.sampled_from([0o644, 0o755])),
    max_size=4,
)


def _write(root: Path, files: dict[str, tuple[str, int]]) -> Folder:
    root.mkdir()
    for path, (text, mode) in files.items():
        Folder(root).write(path, text.encode(), mode)
    return Folder(root)


def test_what_a_person_reads(tmp_path: Path) -> None:
    before = _write(tmp_path / "a", {"one": ("1\n2\n", 0o644), "gone": ("x", 0o644), "run": ("#!\n", 0o644)})
    after = _write(tmp_path / "b", {"one": ("1\n3", 0o644), "new": ("n\n", 0o755), "run": ("#!\n", 0o755)})
    after.write("picture", b"\xff\x00", 0o644)
    assert unified(before, after, ["one", "gone", "new", "run", "picture"]) == snapshot("""\
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
\\ No newline at end of file
diff --git a/new b/new
new file mode 100755
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+n
diff --git a/one b/one
--- a/one
+++ b/one
@@ -1,2 +1,2 @@
 1
-2
+3
\\ No newline at end of file
diff --git a/picture b/picture
new file mode 100644
Binary files /dev/null and b/picture differ
diff --git a/run b/run
old mode 100644
new mode 100755
""")


@settings(max_examples=40, deadline=None)
@given(before=FILES, after=FILES)
def test_git_applies_it(
    before: dict[str, tuple[str, int]],
    after: dict[str, tuple[str, int]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = tmp_path_factory.mktemp("differences")
    old, new = _write(place / "old", before), _write(place / "new", after)
    text = unified(old, new, before.keys() | after.keys())
    if text:
        done = subprocess.run(["git", "apply", "-"], cwd=old.root, input=text.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr.decode() + text
    assert {path: old.read(path) for path in old.walk()} == {path: new.read(path) for path in new.walk()}
