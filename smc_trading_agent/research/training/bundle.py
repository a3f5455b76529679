"""The last step of a run: models fitted on all labels, the ensemble over them, card and report, signed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smc_trading_agent.decision_engine.ensemble.bundle import write_bundle
from smc_trading_agent.decision_engine.ensemble.inputs import FEATURE_SCHEMA
from smc_trading_agent.decision_engine.ensemble.manifest import Manifest, Provenance, TrainingRange
from smc_trading_agent.decision_engine.ensemble.pooling import LogOddsPool
from smc_trading_agent.decision_engine.ensemble.signing import canonical_json, create_key, load_private_key
from smc_trading_agent.decision_engine.training.ensemble import FittedEnsemble, bundle_contents, expert_entries
from smc_trading_agent.domain.clock import Clock, monotonic_ns
from smc_trading_agent.persistence.files import write_whole
from smc_trading_agent.research.training.card import write_card
from smc_trading_agent.research.training.evaluation import read_told, rules_of
from smc_trading_agent.research.training.findings import Findings, ForecastScore
from smc_trading_agent.research.training.fits import final_normaliser, read_final
from smc_trading_agent.research.training.judging import fit_bold_ensemble, out_of_fold_mean
from smc_trading_agent.research.training.plan import FitTask, folds_of
from smc_trading_agent.research.training.report import write_report
from smc_trading_agent.research.training.run import Progress, Run, TrainRequest, fit_run, judge_run

NS = 1_000_000_000
FINDINGS, REPORT = "findings.json", "report.html"
HERE = "the folder that holds this file"
"""A bundle's id is a hash over its files, so none of them can name it."""
OWN_KEY = Path("keys") / "bundles.pem"
"""Below the state folder: the key that is made where none is named."""


def train_bundle(
    request: TrainRequest, out: Path, named_key: Path | None, clock: Clock, progress: Progress
) -> tuple[Path, Findings]:
    """A whole run: the folder of its bundle, and its findings. Raises `AgentError` as its parts do.

    A run that came to its end keeps its findings, so that the same command gives the same bundle again.
    """
    began = monotonic_ns()
    models = request.settings.decision.models
    key = signing_key(named_key, request.state.parent, Path(models.trust_folder))
    run = fit_run(request, progress)
    fitted = final_ensemble(run, models.margin)
    kept = run.folder / FINDINGS
    if not kept.is_file():
        found = judge_run(request, run, clock, progress)
        write_whole(kept, canonical_json(finished(run, found, fitted, (monotonic_ns() - began) / NS)))
    findings = msgspec.json.decode(kept.read_bytes(), type=Findings)
    return make_bundle(run, findings, fitted, out, key), findings


def signing_key(named: Path | None, state: Path, trust_folder: Path) -> Ed25519PrivateKey:
    """The private key in the file ``named``, or our own, made on first use; its public half joins the trust folder.

    Raises `BundleError` where a file is missing, holds no key, or can be read by others.
    """
    own = state / OWN_KEY
    if named is None and not own.exists():
        create_key(own, trust_folder)
    return load_private_key(named or own)


def final_ensemble(run: Run, margin: float) -> FittedEnsemble:
    """Calibrators, pool and sets from what all fits of the cross-validation said of rows that they had not seen.

    Calibrators are of the kind that was judged, although there are more labels here than in any split.
    """
    plan, dataset = run.plan, run.dataset
    folds, rules = folds_of(dataset, plan), rules_of(plan, margin)
    if max(len(split.train) for split in folds.judged) < rules.ensemble.isotonic_from:
        platt = msgspec.structs.replace(rules.ensemble, isotonic_from=len(dataset) + 1)
        rules = msgspec.structs.replace(rules, ensemble=platt)
    told = read_told(run.folder, plan, folds, len(dataset))
    return fit_bold_ensemble(out_of_fold_mean(told), dataset.samples, dataset.labels, rules)


def finished(run: Run, findings: Findings, fitted: FittedEnsemble, seconds: float) -> Findings:
    """The findings with what is known at the end: the time taken, and the weights that the bundle starts with."""
    start = fitted.parameters
    weights = LogOddsPool(start.weights, start.pool).weights(dict.fromkeys(run.plan.experts, 0.5))
    return msgspec.structs.replace(findings, seconds=round(seconds, 1), weights=weights, bundle=HERE)


def make_bundle(run: Run, findings: Findings, fitted: FittedEnsemble, out: Path, key: Ed25519PrivateKey) -> Path:
    """Writes the signed bundle into ``out`` and returns its folder, named by its content. Raises `BundleError`."""
    plan, dataset, folder = run.plan, run.dataset, run.folder
    experts = [read_final(folder, FitTask(name, plan.seeds[0], ())) for name in plan.experts]
    contents = bundle_contents(
        experts, fitted, final_normaliser(folder), dataset.samples, write_card(findings).encode()
    )
    contents |= {FINDINGS: canonical_json(findings), REPORT: write_report(findings)}
    labels, trading = dataset.labels, findings.trading
    expectancy = {} if trading.expectancy is None else {"expectancy": trading.expectancy.value}
    manifest = Manifest(
        feature_schema=FEATURE_SCHEMA,
        experts=expert_entries(experts, {score.name: _metrics(score) for score in findings.experts}),
        instruments=tuple(sorted({tape.instrument for tape in dataset.samples.tapes})),
        timeframes=tuple(sorted({tape.timeframe for tape in dataset.samples.tapes})),
        training=TrainingRange(int(np.min(dataset.samples.known_at)), int(np.max(labels.end)), len(labels)),
        provenance=Provenance(
            data={market.file: market.sha256 for market in findings.markets},
            commit=findings.commit,
            seeds=findings.seeds,
            settings=findings.settings,
        ),
        verdict=findings.verdict,
        metrics=_metrics(findings.ensemble) | expectancy,
    )
    return write_bundle(out, manifest, contents, key)


def _metrics(score: ForecastScore) -> dict[str, float]:
    return {
        "log_loss": score.log_loss,
        "chance_log_loss": score.chance_log_loss,
        "brier": score.brier,
        "calibration_error": score.calibration_error,
    }
