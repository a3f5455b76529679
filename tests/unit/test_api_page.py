"""The built page, and the names it shares with the API."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from smc_trading_agent.api import answers, live_models, records
from tests.unit.api_client import served

WIRE = Path(__file__).resolve().parents[2] / "dashboard" / "src" / "wire.ts"


def interfaces() -> dict[str, list[str]]:
    """Field names of every interface in the page's wire module."""
    text = WIRE.read_text(encoding="utf-8")
    found = re.findall(r"export interface (\w+) \{(.*?)\n\}", text, flags=re.DOTALL)
    return {name: re.findall(r"^  (\w+):", body, flags=re.MULTILINE) for name, body in found}


def models() -> dict[str, type[BaseModel]]:
    """Every model that a `ViewState` is made of, by name."""
    found: dict[str, type[BaseModel]] = {}
    for module in (live_models, records, answers):
        found |= {
            name: item for name, item in vars(module).items() if isinstance(item, type) and issubclass(item, BaseModel)
        }
    defined = live_models.ViewState.model_json_schema()["$defs"]
    return {name: found[name] for name in defined if name in found} | {"ViewState": live_models.ViewState}


@pytest.mark.parametrize("name", sorted(models()))
def test_the_page_and_the_api_name_the_same_fields(name: str) -> None:
    assert interfaces()[name] == list(models()[name].model_fields)


def test_the_page_knows_no_interface_that_the_api_lacks() -> None:
    assert set(interfaces()) == set(models())


def page(folder: Path) -> Path:
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>page</title>", encoding="utf-8")
    (folder / "assets" / "index-abc123.js").write_text("export {};", encoding="utf-8")
    return folder


def test_the_page_is_served_at_the_root_beside_the_api(tmp_path: Path) -> None:
    with served(0, page_dir=page(tmp_path)) as (client, _, _):
        index, script = client.get("/"), client.get("/assets/index-abc123.js")
        assert client.get("/api/python/health").status_code == 200
    assert index.headers["content-type"].startswith("text/html")
    assert index.headers["cache-control"] == "no-cache"
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_missing_page_names_the_command_that_builds_it(tmp_path: Path) -> None:
    with served(0, page_dir=tmp_path) as (client, _, _):
        answer = client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text


@pytest.mark.parametrize("path", ["/../app.py", "/..%2fapp.py", "/assets/../../handle.py"])
def test_nothing_outside_the_page_is_served(tmp_path: Path, path: str) -> None:
    with served(0, page_dir=page(tmp_path)) as (client, _, _):
        assert client.get(path).status_code == 404
