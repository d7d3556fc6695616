from __future__ import annotations

import os
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.settings import OF_A_PROJECT, Settings, explain, load_settings, redact_url


def _layers(tmp_path: Path) -> tuple[Path, Path]:
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    (home / "omni.toml").write_text('retries = 1\ncolor = "never"\noffline = true\nsandbox = "docker"\n')
    (project / "omni.toml").write_text(
        '[settings]\nretries = 2\ncolor = "always"\ntier_deadlines = "1=9"\n[verify]\nx = 1\n'
    )
    return home, project


def test_later_sources_win_and_each_value_says_where_it_came_from(tmp_path: Path) -> None:
    home, project = _layers(tmp_path)
    environ = {"OMNI_HOME": str(home), "OMNI_RETRIES": "3", "OMNI_COLOR": "auto", "OTHER": "x"}
    rows = explain({"retries": "4"}, environ, project)
    assert [(row.name, row.value, row.origin) for row in rows] == [
        ("home", str(home), "environment OMNI_HOME"),
        ("database_url", f"sqlite:///{home}/omni.db", "default"),
        ("offline", "true", str(home / "omni.toml")),
        ("sandbox", "docker", str(home / "omni.toml")),
        ("gate_profile", "autonomous", "default"),
        ("tier_deadlines", "1=9,2=300,3=600,4=14400", str(project / "omni.toml")),
        ("retries", "4", "flag --retries"),
        ("model_idle", "60.0", "default"),
        ("color", "auto", "environment OMNI_COLOR"),
    ]
    assert all(row.help for row in rows)


def test_the_home_is_for_root_or_for_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def home(uid: int, **environ: str) -> Path:
        monkeypatch.setattr(os, "geteuid", lambda: uid)
        return load_settings({}, environ, tmp_path).home

    assert home(0, HOME="/home/ada") == Path("/var/lib/omni")
    assert home(1000, HOME="/home/ada") == Path("/home/ada/.local/share/omni")
    assert home(1000, HOME="/home/ada", XDG_DATA_HOME="/data") == Path("/data/omni")
    assert home(1000, HOME="/home/ada", XDG_DATA_HOME="relative") == Path("/home/ada/.local/share/omni")


def test_some_deadlines_may_be_given_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "omni.toml").write_text("[settings.tier_deadlines]\n1 = 9\n")
    environ = {"OMNI_HOME": str(tmp_path / "home")}
    assert load_settings({}, environ, tmp_path).tier_deadlines == {1: 9.0, 2: 300.0, 3: 600.0, 4: 14400.0}
    assert load_settings({"tier_deadlines": "2=5,3=6"}, environ, tmp_path).tier_deadlines[3] == 6.0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[settings]\nretires = 1\n", "retires: there is no such setting"),
        ("[settings]\nretries = -1\n", "retries: Input should be greater than or equal to 0"),
        ("[settings]\ntier_deadlines = '5=1'\n", "tiers are 1 to 4"),
        ("[settings]\ntier_deadlines = 'x'\n", "tier_deadlines: write it as `1=30,2=300`"),
        ("[settings]\ntier_deadlines = '1=0'\n", "tier_deadlines: deadlines are more than 0 seconds"),
        ("[settings]\ntier_deadlines = 3\n", "tier_deadlines: "),
        ("settings = 3\n", "is not a table"),
        ("[settings\n", "Expected"),
        ("\udcff", "can't decode"),
    ],
)
def test_a_bad_file_is_one_clear_error_that_names_it(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "omni.toml").write_text(content, errors="surrogateescape")
    with pytest.raises(OmniError, match=why) as caught:
        load_settings({}, {"OMNI_HOME": "/nowhere"}, tmp_path)
    assert caught.value.where == str(tmp_path / "omni.toml")
    assert caught.value.fix


def test_a_home_of_nobody_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OmniError, match="home: there is no user ~nobody-here") as caught:
        load_settings({}, {"OMNI_HOME": "~nobody-here/omni"}, tmp_path)
    assert caught.value.where == "environment OMNI_HOME"


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - set(OF_A_PROJECT)))
def test_a_project_may_not_choose_whose_tools_run(tmp_path: Path, name: str) -> None:
    (tmp_path / "omni.toml").write_text(f'[settings]\n{name} = "x"\n')
    environ = {"OMNI_HOME": str(tmp_path / "home"), f"OMNI_{name.upper()}": str(tmp_path)}
    with pytest.raises(OmniError, match=f"{name}: a project may not set this") as caught:
        load_settings({}, environ, tmp_path)
    assert caught.value.where == str(tmp_path / "omni.toml")


def test_what_a_project_may_set_is_what_can_do_no_harm() -> None:
    assert OF_A_PROJECT == ("tier_deadlines", "retries", "color")


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    environ = {"OMNI_HOME": "/nowhere", "OMNI_DATABASE_URL": "postgresql://omni:s3cret@db/omni"}
    values = {row.name: row.value for row in explain({}, environ, tmp_path)}
    assert values["database_url"] == "postgresql://omni:***@db/omni"
    assert redact_url("sqlite:////a/b@c.db") == "sqlite:////a/b@c.db"
    assert redact_url("postgresql://u:x@db/omni?password=s3cret&a=1") == "postgresql://u:***@db/omni?password=***&a=1"
    with pytest.raises(OmniError) as caught:
        load_settings({"sandbox": "s3cret"}, environ, tmp_path)
    assert "s3cret" not in str(caught.value)
