"""`smc-agent train`: one command from a file to a signed bundle that the agent loads; resumable, the same anywhere."""

from __future__ import annotations

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from smc_trading_agent.cli import app
from smc_trading_agent.decision_engine.ensemble.bundle import Use, load_bundle
from smc_trading_agent.decision_engine.ensemble.signing import load_trusted_keys
from smc_trading_agent.research.training.findings import Findings
from tests.processes import wait_until

pytestmark = pytest.mark.usefixtures("training_extra")
BARS = 170_000
CHEAP = ("--models", "logistic,lightgbm", "--quick")
MARKET = "synthetic:SYNUSDT"


def smc_agent(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(result: Result, code: int = 0) -> dict[str, Any]:
    """The one JSON object on standard output."""
    assert result.exit_code == code, result.output
    parsed: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    return parsed


def synthesized(folder: Path, bars: int, seed: int = 7, strength: float = 0.0) -> Path:
    file = folder / f"market-{bars}-{seed}-{strength}.parquet"
    result = smc_agent(
        "data", "synthesize", "--out", file, "--bars", bars, "--seed", seed, "--planted-strength", strength, "--json"
    )
    assert result.exit_code == 0, result.output
    return file


class Trained(msgspec.Struct):
    """A home folder in which the command ran, with what it answered."""

    home: Path
    data: Path
    told: dict[str, Any]

    @property
    def bundle(self) -> Path:
        return self.home / self.told["bundle"]

    @property
    def run(self) -> Path:
        return self.home / "state" / "training" / self.told["run"]

    def fits(self) -> dict[str, str]:
        """The hash of every fit's file."""
        return {path.name: _hash(path) for path in sorted((self.run / "fits").glob("*.npz"))}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOG_LEVEL", "DEBUG", "APP_ENV", "SMC_STATE_DIR", "SMC_HOST", "SMC_PORT", "SMC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesized(tmp_path_factory.mktemp("data"), BARS)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        return Trained(home, data, answer(smc_agent("train", "--data", data, *CHEAP, "--workers", 2, "--json")))


def test_the_bundle_is_signed_loads_and_says_where_it_came_from(trained: Trained) -> None:
    bundle = load_bundle(trained.bundle, Use(MARKET, "3m"), load_trusted_keys(trained.home / "models" / "trust"))
    manifest = bundle.manifest
    assert bundle.signed_by
    assert [expert.name for expert in manifest.experts] == ["logistic", "lightgbm"]
    assert manifest.provenance.data == {trained.data.name: _hash(trained.data)}
    assert manifest.provenance.seeds == (1,)
    assert manifest.verdict == trained.told["verdict"]
    assert manifest.training.labels == trained.told["markets"][0]["labels"]
    findings = msgspec.json.decode(bundle.contents["findings.json"], type=Findings)
    assert findings.run == trained.told["run"]
    assert {"model_card.md", "report.html"} <= bundle.contents.keys()
    assert bundle.contents["model_card.md"].decode().startswith("# ")
    assert (trained.home / "state" / "keys" / "bundles.pem").stat().st_mode & 0o777 == 0o600


def test_the_findings_hold_what_an_honest_reader_asks_for(trained: Trained) -> None:
    told = msgspec.convert(trained.told, Findings)
    assert (len(told.folds), len(told.paths)) == (15, 5)
    assert [score.name for score in told.experts] == ["logistic", "lightgbm"]
    assert told.trading.setups == 5 * told.markets[0].labels
    assert told.trading.fits == 82
    assert told.trading.trials == 4
    assert told.baseline.low < told.baseline.value < told.baseline.high
    assert {placebo.name for placebo in told.placebos} == {
        "shuffled labels",
        "lagged entry",
        "random entry, same exits",
        "planted leak",
    }
    assert all(placebo.passed for placebo in told.placebos), told.placebos
    assert told.leaks == ()
    assert told.command.startswith(f"smc-agent train --data {trained.data.name} --seed 1 --seeds 1 --folds 6")
    assert 0.9 < told.conformal_coverage <= 1.0


def test_an_interrupted_run_goes_on_and_comes_to_the_same(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.home)
    before, findings = trained.fits(), trained.run / "findings.json"
    for path in sorted((trained.run / "fits").glob("*.npz"))[::7]:
        path.unlink()
    lost = len(before) - len(trained.fits())
    findings.unlink()
    again = answer(smc_agent("train", "--data", trained.data, *CHEAP, "--workers", 1, "--json"))
    assert trained.fits() == before
    assert again["trading"]["fits"] == trained.told["trading"]["fits"] + lost
    assert again["trading"]["trials"] == trained.told["trading"]["trials"]
    for name in ("experts", "ensemble", "folds", "paths", "placebos", "verdict", "weights", "paired"):
        assert again[name] == trained.told[name], name


def test_a_finished_run_gives_its_bundle_again(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained.home)
    first = answer(smc_agent("train", "--data", trained.data, *CHEAP, "--json"))
    assert answer(smc_agent("train", "--data", trained.data, *CHEAP, "--json")) == first


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_ctrl_c_keeps_what_was_fitted(data: Path, tmp_path: Path, sent: signal.Signals) -> None:
    agent = [sys.executable, "-c", "from smc_trading_agent.cli import main; main()"]
    command = [*agent, "train", "--data", str(data), *CHEAP]
    process = subprocess.Popen(
        [*command, "--workers", "1", "--seeds", "3"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell starts its background jobs with SIGINT ignored, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until(lambda: len(list(tmp_path.glob("state/training/*/fits/*.npz"))) >= 3, process)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors.decode()
    assert "the same command goes on from here" in errors.decode()
    assert "Traceback" not in errors.decode()
    ledger = sqlite3.connect(tmp_path / "state" / "training" / "trials.db")
    ended, begun = (ledger.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("ending", "attempt"))
    assert 3 <= ended <= begun <= ended + 1


def test_workers_end_with_a_run_that_is_killed(data: Path, tmp_path: Path) -> None:
    agent = [sys.executable, "-c", "from smc_trading_agent.cli import main; main()"]
    command = [*agent, "train", "--data", str(data), *CHEAP, "--workers", "1", "--seeds", "9"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list(tmp_path.glob("state/training/*/fits/*.npz"))) >= 1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    assert children
    process.kill()
    process.wait(timeout=60)
    wait_until(lambda: not any(_runs(child) for child in children))


def _runs(process: str) -> bool:
    """Whether a process is there, and not only waiting to be buried."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_ray_comes_to_the_same_as_the_pool(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")
    monkeypatch.chdir(tmp_path)
    told = answer(smc_agent("train", "--data", trained.data, *CHEAP, "--executor", "ray", "--workers", 2, "--json"))
    assert Trained(tmp_path, trained.data, told).fits() == trained.fits()


def test_a_backtest_with_the_bundle_names_it_and_says_what_is_not_out_of_sample(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trained.home)
    Path("config.yaml").write_text(
        f"decision:\n  models: {{bundle: {trained.told['bundle']}, quorum: 2}}\n", encoding="utf-8"
    )
    told = answer(smc_agent("backtest", "--data", trained.data, "--json"))
    assert told["models"]["bundle"] == trained.bundle.name
    assert told["models"]["overlap"] > 0.9
    assert told["models"]["warning"].startswith("NOT OUT OF SAMPLE: 9")
    shown = smc_agent("backtest", "--data", trained.data)
    assert trained.bundle.name in shown.stdout
    assert "NOT OUT OF SAMPLE" in shown.stdout
    later = synthesized(trained.home, 3_000, seed=8)
    Path("config.yaml").unlink()
    assert answer(smc_agent("backtest", "--data", later, "--json"))["models"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--models", "logistic,oracle"), "there is no oracle; choose from logistic, lightgbm"),
        (("--executor", "cluster"), "use process or ray"),
        (("--timeframe", "2h"), "labels are too few to fit and to judge models, 150 are needed"),
        (("--config", "absent.yaml"), "absent.yaml"),
        (("--key", "absent.pem"), "absent.pem can't be read"),
    ],
)
def test_what_can_not_be_trained_is_told_with_the_remedy(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    told = answer(smc_agent("train", "--data", data, *CHEAP, *arguments, "--json"), 2)
    assert message in told["message"]


def test_a_missing_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "absent.parquet" in answer(smc_agent("train", "--data", "absent.parquet", *CHEAP, "--json"), 2)["message"]


def test_a_missing_extra_is_told(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    told = answer(smc_agent("train", "--data", data, *CHEAP, "--json"), 2)
    assert told["error"] == "TrainingError"
    assert "make train-setup" in told["message"]
