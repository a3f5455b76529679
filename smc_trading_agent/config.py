"""Settings from `config.yaml`, then the environment, then the command line; the later one wins.

Every problem is reported at once, by key, with the value that was found. Unknown keys are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.risk_settings import CHANGE_KEYS, LOOSER
from smc_trading_agent.domain.settings import Settings

DEFAULT_FILE = "config.yaml"
API_KEY_VARIABLE = "SMC_API_KEY"
ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "LOG_LEVEL": ("app", "log_level"),
    "DEBUG": ("app", "debug"),
    "APP_ENV": ("app", "environment"),
    "SMC_STATE_DIR": ("app", "state_dir"),
    "SMC_HOST": ("app", "host"),
    "SMC_PORT": ("app", "port"),
    "REDIS_URL": ("performance", "ml_ensemble", "redis_url"),
}


def load_settings(
    file: Path | None, environment: Mapping[str, str], overrides: Mapping[str, Mapping[str, object]] | None = None
) -> Settings:
    """Reads and checks all settings.

    ``file`` None means `config.yaml` in the working folder where there is one, else the defaults. ``overrides``
    maps section to key to value. Raises `ConfigError` with every problem.
    """
    path = file or Path(DEFAULT_FILE)
    raw = _read(path) if file is not None or path.is_file() else {}
    for variable, place in ENVIRONMENT.items():
        if environment.get(variable):
            _place(raw, place, environment[variable])
    for section, values in (overrides or {}).items():
        raw.setdefault(section, {}).update({key: value for key, value in values.items() if value is not None})
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(error, path)) from error


def settings_hash(settings: Settings) -> str:
    """Hash over every setting that a decision depends on (not where it runs or how it is shown)."""
    content = settings.model_dump(
        mode="json",
        exclude={
            "app": True,
            "journal": True,
            "performance": True,
            # Limits may change between two starts: each change is a fact of the journal.
            "risk": {*LOOSER, *CHANGE_KEYS},
            "synthetic": {"speed", "fast_forward_bars"},
            # The session names the bundle by its content, and the journal holds who was late.
            "decision": {"models": {"bundle", "folder", "trust_folder", "allow_unsigned", "deadline_ms"}},
        },
    )
    text = json.dumps(content, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def api_key_hash(environment: Mapping[str, str]) -> str | None:
    """SHA-256 of the key in `SMC_API_KEY`; the key itself is not kept. None where it is not set."""
    key = environment.get(API_KEY_VARIABLE, "")
    return hashlib.sha256(key.encode()).hexdigest() if key else None


def _place(raw: dict[str, dict[str, Any]], place: tuple[str, ...], value: str) -> None:
    """Sets a key, in sections that are made where the file has none."""
    section: Any = raw
    for name in place[:-1]:
        if section.get(name) is None:
            section[name] = {}
        section = section[name]
        if not isinstance(section, dict):
            return  # which is reported when settings are checked
    section[place[-1]] = value


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} can't be read ({error.strerror}); name another file with --config") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(part, dict | None) for part in found.values()):
        raise ConfigError(f"{path} must hold sections (app, decision, risk ...) with keys; see the file that ships")
    return {section: part or {} for section, part in found.items()}


def _explain(error: ValidationError, path: Path) -> str:
    lines = [f"{path}: {error.error_count()} setting(s) can't be used:"]
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {key}: unknown key; remove it, or correct its name")
        else:
            lines.append(f"  {key} = {problem['input']!r}: {problem['msg']}")
    return "\n".join(lines)
