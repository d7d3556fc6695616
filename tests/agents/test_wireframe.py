"""A picture of a screen becomes a request whose specification names its fields and buttons."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.agents.speaking import speaker

from omni.agents.wireframe import LARGEST, Wireframe, load, read_wireframe
from omni.cli.wireframe import wireframe
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.catalog import load_catalog
from omni.models.script import Record, Reply, Rule, Script, serve
from omni.models.wire import ImagePart
from omni.spec.compiler import compile_request
from omni.spec.request import parse_request

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SEEN = {
    "purpose": "an app to keep plants",
    "thing": "plant",
    "fields": [
        {"label": "Name", "type": "text", "required": True},
        {"label": "Last watered", "type": "date"},
        {"label": "Light", "type": "choice", "choices": ["Low", "Medium", "High"]},
    ],
    "buttons": [{"label": "Search", "does": "search plants"}],
    "unreadable": ["a word in the corner"],
}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / "sketch.png").write_bytes(PIXEL)
    return tmp_path / "sketch.png"


def home(tmp_path: Path, url: str) -> Settings:
    """A home with one model, of which it is not known whether it sees."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "models.toml").write_text(
        f'[[endpoint]]\nname = "place"\nbase_url = "{url}"\nmodels = [{{ wire_name = "seer" }}]\n'
    )
    return Settings(home=folder, database_url=f"sqlite:///{folder / 'omni.db'}")


def test_the_specification_names_the_fields_and_the_buttons() -> None:
    request = Wireframe.model_validate_json(json.dumps(SEEN)).request()
    assert request == (
        "an app to keep plants. Each plant has name, last watered and light (low, medium, high). "
        "People can search plants."
    )
    spec = compile_request(parse_request(request))
    plant = spec.entity("Plant")
    assert [field.label for field in plant.fields][:3] == ["Name", "Last watered", "Light"]
    assert next(field.choices for field in plant.fields if field.name == "light") == ("low", "medium", "high")
    assert any(operation.kind == "search" for operation in spec.operations_of("Plant"))


def test_the_picture_goes_to_a_model_that_sees(tmp_path: Path, picture: Path) -> None:
    record = Record()
    with serve(Script(rules=(Rule(reply=Reply(text=json.dumps(SEEN))),)), record) as url:
        settings = home(tmp_path, url)
        done = CliRunner().invoke(wireframe, [str(picture), "--json"], env={"OMNI_HOME": str(settings.home)})
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["request"].startswith("an app to keep plants.")
    assert f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}" in json.dumps(record.asked[0].request)


def test_without_a_model_that_sees_it_says_so(tmp_path: Path, picture: Path) -> None:
    settings = Settings(home=tmp_path / "empty", database_url="sqlite://")
    with pytest.raises(OmniError, match=r"none of those that are enabled can look at sketch\.png") as caught:
        read_wireframe(picture, speaker(), load_catalog(settings))
    assert caught.value.kind.code == "A045"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither PNG"),
        (b"GIF89a", "neither PNG"),
        (b"RIFF0000WAVE", "neither PNG"),
        (PIXEL + b"\0" * LARGEST, "more than 8 MiB"),
        (None, "No such file"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes | None, why: str) -> None:
    if data is not None:
        (tmp_path / "x").write_bytes(data)
    with pytest.raises(OmniError, match=why):
        load(tmp_path / "x")


@pytest.mark.parametrize(("start", "kind"), [(b"\xff\xd8\xff\xe0", "jpeg"), (b"RIFF0000WEBPVP8 ", "webp")])
def test_pictures_are_told_by_their_content(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "x").write_bytes(start)
    loaded = load(tmp_path / "x")
    assert isinstance(loaded, ImagePart)
    assert loaded.media_type == f"image/{kind}"
