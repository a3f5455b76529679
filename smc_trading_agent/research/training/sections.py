"""What a training run found, section by section: the one text from which both card and report are set."""

from __future__ import annotations

from smc_trading_agent.research.training import wording as say
from smc_trading_agent.research.training.document import (
    Bullets,
    Code,
    Document,
    Inline,
    Mark,
    Paragraph,
    Picture,
    Section,
    Table,
    plain,
)
from smc_trading_agent.research.training.findings import Findings, ForecastScore
from smc_trading_agent.research.training.pictures import EquityChart, IntervalChart, IntervalRow, ReliabilityChart
from smc_trading_agent.research.training.uses import limits, reproduction

NO_VERDICT = "No verdict was recorded."
UNLABELLED = "A setup that was never filled, or was still open when the data ended, has no label."
NUMBERS = frozenset(range(1, 12))
"""All columns but the first."""


def document_of(findings: Findings) -> Document:
    """The whole document; every number in it is one of ``findings``, or counts parts of it."""
    made = say.moment(findings.made_at)
    byline = f"Model card of training run {plain(findings.run)}, made {made}. Returns are in R, the risk of a trade, "
    byline += "after costs; intervals are 95 %; log-losses are in nats a label."
    parts = (_glance, _gate, _data, _labels, _forecasts, _ensemble, _calibration, _folds, _trading, _paths)
    sections = [part(findings) for part in (*parts, _placebos, _leaks)]
    return Document(plain(findings.verdict, NO_VERDICT), byline, (*sections, limits(findings), reproduction(findings)))


def _glance(findings: Findings) -> Section:
    trading, ensemble = findings.trading, findings.ensemble
    rows: list[tuple[Inline, Inline]] = [
        ("Gate to go live", Mark(say.gate_open(findings), say.gate_words(findings))),
        (
            "A trade chosen by the models",
            f"{say.interval_in_r(trading.expectancy)}: {say.against_zero(trading.expectancy)}",
        ),
        ("Every setup, without a model", f"{say.interval_in_r(findings.baseline)}"),
        ("Setups that were traded", f"{say.count(trading.traded)} of {say.count(trading.setups)}"),
        (
            "Log-loss of the ensemble",
            f"{say.nats(ensemble.log_loss)} beside {say.nats(ensemble.chance_log_loss)} of chance: "
            f"{say.beside_chance(ensemble.log_loss, ensemble.chance_log_loss)}",
        ),
        (
            "Ensemble against the best single expert",
            f"{say.compared(findings.paired)} ({plain(findings.paired.rival)})",
        ),
        ("Calibration error", _calibration_words(ensemble)),
        ("Deflated Sharpe ratio", f"{say.score(trading.deflated_sharpe)}, with {say.count(trading.trials)} trials"),
        ("Probability of backtest overfitting", say.score(trading.overfitting_probability)),
        ("Placebos that came out as they must", _placebo_count(findings)),
        ("Leaks found", say.count(len(findings.leaks))),
    ]
    return Section("glance", "At a glance", (Table("The main figures", ("what", "found"), tuple(rows)),))


def _gate(findings: Findings) -> Section:
    rows = tuple(
        (plain(line.condition), plain(line.found), plain(line.limit), Mark(line.passed, _held(line.passed)))
        for line in findings.gate
    )
    words = f"The gate to go live is {say.gate_words(findings)}."
    table = Table("Conditions, all of which must hold", ("condition", "found", "limit", "holds"), rows)
    return Section("gate", "Gate to go live", (Paragraph((words,)), table), ("gate",))


def _data(findings: Findings) -> Section:
    columns = ("instrument", "timeframe", "from", "to", "bars", "setups", "unfilled", "labels")
    rows: tuple[tuple[Inline, ...], ...] = tuple(
        (
            f"{plain(market.instrument)}{f' ({plain(market.label)})' if market.label else ''}",
            plain(market.timeframe),
            say.day(market.first),
            say.day(market.last),
            *(say.count(number) for number in (market.bars, market.setups, market.unfilled, market.labels)),
        )
        for market in findings.markets
    )
    hashes = tuple(
        (Code(plain(market.file)), f"{plain(market.instrument)} {plain(market.timeframe)}", Code(plain(market.sha256)))
        for market in findings.markets
    )
    blocks = (
        Table("Markets, and what was found in them", columns, rows, frozenset(range(4, 8))),
        Paragraph((UNLABELLED,)),
        Table("Files with their hashes", ("file", "market", "SHA-256"), hashes),
    )
    return Section("data", "Data", blocks, ("markets",))


def _labels(findings: Findings) -> Section:
    baseline = findings.baseline
    words = (
        "Each label comes from a triple barrier set by the structure: the target is the next opposite liquidity, the "
        "stop the price that invalidates the setup, and a time limit ends what reaches neither. Structure gives the "
        "side; the models give P(win) for that side. Costs are part of every return and of the break-even probability "
        "stored beside the label."
    )
    figures = (
        f"Share of setups that won: {say.percent(findings.win_share)}. Share needed to break even after costs, on "
        f"average: {say.percent(findings.mean_break_even)}. Every setup traded, without any model, a trade: "
        f"{say.interval_in_r(baseline)}, {say.against_zero(baseline)}."
    )
    source = ("win_share", "mean_break_even", "baseline")
    return Section("labels", "Labels and break-even", (Paragraph((words,)), Paragraph((figures,))), source)


def _forecasts(findings: Findings) -> Section:
    scores = (*findings.experts, findings.ensemble)
    losses = ("log-loss", "by seed", "of chance", "beside chance")
    columns = ("forecaster", *losses, "Brier score", "calibration error", "by chance alone")
    rows = tuple(
        (
            plain(found.name),
            say.nats(found.log_loss),
            say.seed_spread(found.by_seed),
            say.nats(found.chance_log_loss),
            say.beside_chance(found.log_loss, found.chance_log_loss),
            say.score(found.brier),
            say.score(found.calibration_error),
            say.score(found.calibration_noise),
        )
        for found in scores
    )
    chance = findings.ensemble.chance_log_loss
    chart = IntervalChart(
        tuple(IntervalRow(plain(found.name), found.log_loss, parts=_seeds(found)) for found in scores),
        "log-loss, nats a label (left is better)",
        chance,
        "chance",
        returns=False,
    )
    described = ". ".join(f"{plain(found.name)} {say.nats(found.log_loss)}" for found in scores)
    picture = Picture(
        "Log-loss of each forecaster beside chance",
        f"Log-loss in nats a label; chance has {say.nats(chance)}. {described}.",
        chart,
    )
    words = "All forecasts are out of fold: nothing was fitted on the labels that it is judged by."
    table = Table("Forecasts of each expert and of the ensemble", columns, rows, NUMBERS)
    return Section("forecasts", "Experts beside chance", (Paragraph((words,)), picture, table), ("experts", "ensemble"))


def _ensemble(findings: Findings) -> Section:
    rows = tuple((plain(name), say.score(weight)) for name, weight in findings.weights.items())
    coverage = f"Share of out-of-fold outcomes inside their conformal set: {say.percent(findings.conformal_coverage)}."
    blocks = (
        Paragraph((plain(say.comparison(findings.paired)),)),
        Table("Weights in the pool at the end of training", ("expert", "weight"), rows, NUMBERS),
        Paragraph((coverage,)),
    )
    title = "Ensemble against the best single expert"
    return Section("ensemble", title, blocks, ("paired", "weights", "conformal_coverage"))


def _calibration(findings: Findings) -> Section:
    found = findings.ensemble
    rows = tuple(
        (
            say.percent(bin_.forecast),
            say.percent(bin_.outcome),
            f"{say.percent(bin_.low)} to {say.percent(bin_.high)}",
            say.count(bin_.count),
        )
        for bin_ in found.reliability
    )
    described = f"Reliability curve of {say.count(len(rows))} bins. " + " ".join(
        f"Forecast {forecast}: won {outcome} ({interval}), {many} forecasts."
        for forecast, outcome, interval, many in rows
    )
    table = Table("The same in figures", ("forecast", "won", "95 % interval", "forecasts"), rows, NUMBERS, folded=True)
    blocks = (
        Paragraph((f"Calibration error of the ensemble: {_calibration_words(found)}.",)),
        Picture("How often forecasts came true", described, ReliabilityChart(found.reliability)),
        table,
    )
    return Section("calibration", "Calibration", blocks, ("ensemble",))


def _folds(findings: Findings) -> Section:
    columns = ("fold", "train", "test", "log-loss", "calibration error", "traded", "mean return")
    rows: tuple[tuple[Inline, ...], ...] = tuple(
        (
            Code(plain(fold.fold)),
            say.count(fold.train),
            say.count(fold.test),
            say.nats(fold.log_loss),
            say.score(fold.calibration_error),
            say.count(fold.traded),
            say.in_r(fold.mean_return) if fold.traded else "none traded",
        )
        for fold in findings.folds
    )
    words = "Folds are combinatorial, purged by label interval and embargoed. Figures are means over the seeds."
    table = Table("Each split of the cross-validation", columns, rows, NUMBERS)
    return Section("folds", "Fold by fold", (Paragraph((words,)), table), ("folds",))


def _trading(findings: Findings) -> Section:
    trading = findings.trading
    facts = (
        f"The policy traded {say.count(trading.traded)} of {say.count(trading.setups)} setups, over all paths; "
        f"{say.count(trading.trials)} trials and {say.count(trading.fits)} fits were made on the way."
    )
    found: tuple[tuple[Inline, Inline], ...] = (
        ("Expectancy a trade", f"{say.interval_in_r(trading.expectancy)}, {say.against_zero(trading.expectancy)}"),
        ("Probability that the Sharpe ratio is above 0 (PSR)", say.score(trading.probabilistic_sharpe)),
        (f"The same, deflated for {say.count(trading.trials)} trials (DSR)", say.score(trading.deflated_sharpe)),
        ("Probability of backtest overfitting (PBO)", say.score(trading.overfitting_probability)),
        ("Share of the profit from the largest trade", say.percent(trading.largest_trade_share)),
    )
    table = Table("What the trades were worth", ("what", "found"), found)
    chosen = trading.expectancy
    rows = [IntervalRow("every setup", findings.baseline.value, findings.baseline.low, findings.baseline.high)]
    if chosen is not None:
        rows.append(IntervalRow("chosen", chosen.value, chosen.low, chosen.high))
    described = f"Mean return a trade. Every setup: {say.interval_in_r(findings.baseline)}. "
    described += f"Chosen by the models: {say.interval_in_r(chosen)}."
    chart = IntervalChart(tuple(rows), "mean return a trade after costs, R", 0.0, "no gain, no loss", returns=True)
    picture = Picture("Mean return of all setups, and of those chosen", described, chart)
    return Section("trading", "Trading after costs", (Paragraph((facts,)), table, picture), ("trading", "baseline"))


def _paths(findings: Findings) -> Section:
    columns = ("path", "trades", "total", "total, doubled costs", "Sharpe ratio, daily", "largest drawdown")
    rows = tuple(
        (
            say.count(path.path),
            say.count(path.trades),
            say.in_r(path.total_return, 2),
            say.in_r(path.total_return_double_costs, 2),
            say.number(path.sharpe, 2),
            say.number(path.max_drawdown, 2, unit=" R"),
        )
        for path in findings.paths
    )
    described = f"{say.count(len(rows))} equity paths after costs, in R. " + " ".join(
        f"Path {path} ends at {total} after {trades} trades." for path, trades, total, *_ in rows
    )
    times = [time for market in findings.markets for time in (market.first, market.last)]
    times += [time for path in findings.paths for time in path.times]
    chart = EquityChart(findings.paths, min(times, default=0), max(times, default=0))
    picture = Picture("Equity of each path after costs", described, chart)
    table = Table("Each full path through all groups", columns, rows, NUMBERS)
    words = "Each path goes once through the whole range, every part of it forecast by models that had not seen it."
    return Section("paths", "Equity paths", (Paragraph((words,)), picture, table), ("paths",))


def _placebos(findings: Findings) -> Section:
    rows = tuple(
        (
            plain(placebo.name),
            plain(placebo.expected),
            plain(placebo.found),
            Mark(placebo.passed, "as it must" if placebo.passed else "not as it must"),
        )
        for placebo in findings.placebos
    )
    words = (
        "Trials on data without an edge, which must come to nothing, and a planted leak, which must be caught: "
        f"{_placebo_count(findings)} came out as they must."
    )
    table = Table("What each was to show", ("placebo", "expected", "found", "came out"), rows)
    return Section("placebos", "Placebos", (Paragraph((words,)), table), ("placebos",))


def _leaks(findings: Findings) -> Section:
    if findings.leaks:
        words = Paragraph(
            (Mark(False, "The audit found leaks; no figure of this run can be trusted until they are closed."),)
        )
        items = Bullets(tuple((plain(leak),) for leak in findings.leaks))
        return Section("leaks", "Leak audit", (words, items), ("leaks",))
    words = Paragraph((Mark(True, "The audit of features against labels found no leak."),))
    return Section("leaks", "Leak audit", (words,), ("leaks",))


def _calibration_words(found: ForecastScore) -> str:
    return f"{say.score(found.calibration_error)} (by chance alone: {say.score(found.calibration_noise)})"


def _seeds(found: ForecastScore) -> dict[str, float]:
    """Losses by seed, where there are several to compare."""
    return found.by_seed if len(found.by_seed) > 1 else {}


def _placebo_count(findings: Findings) -> str:
    passed = sum(placebo.passed for placebo in findings.placebos)
    return f"{say.count(passed)} of {say.count(len(findings.placebos))}"


def _held(passed: bool) -> str:
    return "yes" if passed else "no"
