"""The API over a scene, served in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi.testclient import TestClient

from smc_trading_agent.api.app import PAGE_DIR, create_app
from tests.unit.api_scene import API_KEY, Scene, SceneAgent


@contextmanager
def served(
    bars: int = 120, key: str | None = API_KEY, production: bool = False, page_dir: Path = PAGE_DIR
) -> Iterator[tuple[TestClient, SceneAgent, Scene]]:
    """A client, the agent behind it, and the scene that feeds it."""
    scene = Scene()
    if bars:
        scene.run(bars)
    agent = SceneAgent(scene, key)
    app = create_app(lambda: agent, production=production, page_dir=page_dir)
    with TestClient(app, base_url="http://localhost:8008", raise_server_exceptions=False) as client:
        yield client, agent, scene
