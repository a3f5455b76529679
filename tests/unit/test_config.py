"""Settings from file, environment and command line: what is told, what is refused, and what they hash to."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from smc_trading_agent.config import api_key_hash, load_settings, settings_hash
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.risk_settings import CHANGE_KEYS, LOOSER
from smc_trading_agent.domain.settings import Section, Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


def load(file: Path, text: str, **environment: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environment)


def test_the_file_that_ships_says_every_default(repository: Path) -> None:
    shipped = yaml.safe_load((repository / "config.yaml").read_text(encoding="utf-8"))
    assert shipped == Settings().model_dump(mode="json")
    assert load_settings(repository / "config.yaml", {}) == Settings()


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}) == Settings()


def test_the_file_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("risk: {max_leverage: 1.5}", encoding="utf-8")
    assert load_settings(None, {}).risk.max_leverage == 1.5


@pytest.mark.parametrize("text", ["", "# nothing but a remark", "app:\nrisk:\n  # max_leverage: 3\n"])
def test_what_is_left_out_is_default(file: Path, text: str) -> None:
    assert load(file, text) == Settings()


def test_every_section_and_key_of_the_file_is_used(file: Path) -> None:
    settings = load(file, "risk: {max_positions: 3}\nstructure: {context_timeframes: [4h], detector: {atr_period: 9}}")
    assert settings.risk.max_positions == 3
    assert settings.structure.context_timeframes == ("4h",)
    assert settings.structure.detector == {"atr_period": 9}
    assert settings.decision == Settings().decision


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("risk: {max_leverge: 3}", "risk.max_leverge: unknown key; remove it, or correct its name"),
        ("rsk: {max_leverage: 3}", "rsk: unknown key"),
        ("app: {port: eighty}", "app.port = 'eighty':"),
        ("app: {port: 0}", "app.port = 0:"),
        ("app: {port: 65536}", "app.port = 65536:"),
        ("app: {log_level: loud}", "app.log_level = 'loud':"),
        ("risk: {risk_per_trade: 0.11}", "risk.risk_per_trade = 0.11:"),
        ("risk: {max_open_orders: 1.5}", "risk.max_open_orders = 1.5:"),
        ("risk: {max_leverage: -0.1}", "risk.max_leverage = -0.1:"),
        ("risk: {max_leverage: .nan}", "risk.max_leverage = nan:"),
        ("risk: {max_leverage: .inf}", "risk.max_leverage = inf:"),
        ("risk: {max_leverage: null}", "risk.max_leverage = None:"),
        ("risk: {max_leverage: [1]}", "risk.max_leverage = [1]:"),
        ("decision: {take_every_setup: perhaps}", "decision.take_every_setup = 'perhaps':"),
        ("structure: {decision_timeframe: 7m}", "structure.decision_timeframe = '7m':"),
        ("structure: {context_timeframes: [1h, 5h]}", "structure.context_timeframes.1 = '5h':"),
        ("structure: {context_timeframes: 1h}", "structure.context_timeframes = '1h':"),
        ("execution: {start_cash: -5}", "execution.start_cash = -5:"),
        ("execution: {start_cash: '1e4'}", "execution.start_cash = '1e4':"),
        ("journal: {durability: perhaps}", "journal.durability = 'perhaps':"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named_with_its_value(file: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file, text)
    assert f"{file}: 1 setting(s) can't be used:\n  {named}" in str(caught.value)


def test_all_problems_are_told_at_once(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(file, "app: {port: x, colour: red}\nrisk: {max_drawdown: 2}\nnews: {}", LOG_LEVEL="LOUD")
    message = str(caught.value)
    assert "5 setting(s)" in message
    for key in ("app.port = 'x'", "app.colour: unknown", "risk.max_drawdown = 2", "news: unknown", "app.log_level"):
        assert key in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("risk: [", "is not valid YAML"),
        ("a: b: c", "is not valid YAML"),
        ("\t- x", "is not valid YAML"),
        ("- risk", "must hold sections"),
        ("risk: 5", "must hold sections"),
        ("just words", "must hold sections"),
        ("!!python/object/apply:os.getpid []", "is not valid YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(file: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(file, text)


def test_bytes_that_are_no_text_are_refused(file: Path) -> None:
    file.write_bytes(b"risk: \xff\xfe")
    with pytest.raises(ConfigError, match="is not valid YAML"):
        load_settings(file, {})


def test_a_file_that_can_not_be_read_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml can't be read \(No such file.*--config"):
        load_settings(tmp_path / "nowhere.yaml", {})
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(tmp_path, {})


ENVIRONMENT: list[tuple[str, str, str, object]] = [
    ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
    ("DEBUG", "true", "debug", True),
    ("APP_ENV", "production", "environment", "production"),
    ("SMC_STATE_DIR", "/var/lib/smc", "state_dir", "/var/lib/smc"),
    ("SMC_HOST", "0.0.0.0", "host", "0.0.0.0"),
    ("SMC_PORT", "9000", "port", 9000),
]


@pytest.mark.parametrize(("variable", "value", "key", "expected"), ENVIRONMENT)
def test_the_environment_beats_the_file(file: Path, variable: str, value: str, key: str, expected: object) -> None:
    default = getattr(Settings().app, key)
    assert default != expected
    settings = load(file, yaml.safe_dump({"app": {key: default}}), **{variable: value})
    assert getattr(settings.app, key) == expected
    # An empty variable is one that was not set.
    assert getattr(load(file, "", **{variable: ""}).app, key) == default


def test_the_command_line_beats_the_environment_and_what_it_leaves_open_does_not(file: Path) -> None:
    file.write_text("app: {port: 1000, host: file}\nrisk: {max_positions: 2}", encoding="utf-8")
    overrides: dict[str, dict[str, object]] = {"app": {"port": 3000, "host": None}, "synthetic": {"seed": 5}}
    settings = load_settings(file, {"SMC_PORT": "2000", "SMC_HOST": "environment"}, overrides)
    assert (settings.app.port, settings.app.host) == (3000, "environment")
    assert (settings.synthetic.seed, settings.risk.max_positions) == (5, 2)


def test_an_unknown_override_is_refused(file: Path) -> None:
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"synthetic\.sede: unknown key"):
        load_settings(file, {}, {"synthetic": {"sede": 5}})


def test_settings_can_not_be_changed_once_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().risk.max_leverage = 9.0


def test_the_address_of_redis_comes_from_the_environment(file: Path) -> None:
    for content in ("", "performance:\n", "performance: {ml_ensemble: {max_workers: 2}}\n"):
        file.write_text(content, encoding="utf-8")
        ensemble = load_settings(file, {"REDIS_URL": "redis://here"}).performance.ml_ensemble
        assert ensemble.redis_url == "redis://here"
        assert ensemble.max_workers == (2 if "max_workers" in content else 4)
    file.write_text("performance: {ml_ensemble: 5}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="performance.ml_ensemble = 5"):
        load_settings(file, {"REDIS_URL": "redis://here"})


OTHER_TEXT = {
    "max_order_quantity": "5",
    "max_position_quantity": "5",
    "decision_timeframe": "5m",
    "start_cash": "20000",
    "environment": "production",
    "log_level": "ERROR",
    "schedule": "threads",
}


def another(key: str, value: object) -> object:
    """A valid value that is not ``value``."""
    match value:
        case None:
            return 0.25
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value / 2 if value else 0.25
        case list():
            return ["2h"]
        case dict():
            return {"atr_period": 9}
        case _:
            return OTHER_TEXT.get(key, "power_loss" if key == "durability" else "elsewhere")


def keys_of(section: type[Section], *above: str) -> list[tuple[str, ...]]:
    """Paths of all keys in a section and in those inside it."""
    paths: list[tuple[str, ...]] = []
    for key, field in section.model_fields.items():
        kind = field.annotation
        inner = isinstance(kind, type) and issubclass(kind, Section)
        paths += keys_of(kind, *above, key) if inner else [(*above, key)]
    return paths


KEYS = keys_of(Settings)
WHERE_IT_RUNS = {path for path in KEYS if path[0] in ("app", "journal", "performance")} | {
    ("synthetic", "speed"),
    ("synthetic", "fast_forward_bars"),
    # The session names the bundle by its content, and the journal holds who was late.
    ("decision", "models", "bundle"),
    ("decision", "models", "folder"),
    ("decision", "models", "trust_folder"),
    ("decision", "models", "allow_unsigned"),
    ("decision", "models", "deadline_ms"),
    # A change of limits is a fact of the journal.
    *(("risk", key) for key in (*LOOSER, *CHANGE_KEYS)),
}


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_the_hash_covers_what_decides_and_not_where_it_runs(path: tuple[str, ...]) -> None:
    content: dict[str, Any] = Settings().model_dump(mode="json")
    section = content
    for name in path[:-1]:
        section = section[name]
    section[path[-1]] = another(path[-1], section[path[-1]])
    changed = Settings.model_validate(content)
    assert changed != Settings()
    same = settings_hash(changed) == settings_hash(Settings())
    assert same is (path in WHERE_IT_RUNS)


def test_the_order_in_which_settings_were_written_does_not_matter(file: Path) -> None:
    one = load(file, "structure: {detector: {a: 1, b: 2}}\nrisk: {cool_down_seconds: 1, probe_orders: 3}")
    other = load(file, "risk: {probe_orders: 3, cool_down_seconds: 1.0}\nstructure: {detector: {b: 2, a: 1}}")
    assert settings_hash(one) == settings_hash(other)
    assert len(settings_hash(one)) == 16


def test_the_api_key_is_kept_only_as_its_hash() -> None:
    assert api_key_hash({"SMC_API_KEY": "horse"}) == hashlib.sha256(b"horse").hexdigest()
    assert api_key_hash({}) is None
    assert api_key_hash({"SMC_API_KEY": ""}) is None
