"""What sizes the models and their fits; the defaults fit the whole of a default run into a few minutes on two cores."""

from __future__ import annotations

import msgspec

from smc_trading_agent.decision_engine.ensemble.calibrators import ISOTONIC_FROM
from smc_trading_agent.domain.errors import ConfigError


def _demand(sound: bool, rule: str, found: object) -> None:
    if not sound:
        raise ConfigError(f"training settings: {rule}; found {found}")


class LogisticSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``penalties`` (L2, in labels) compete in ``blocks`` purged blocks of the rows; the largest says chance."""

    penalties: tuple[float, ...] = (30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0, 1e6)
    blocks: int = 4

    def __post_init__(self) -> None:
        sound = self.penalties and min(self.penalties) > 0.0
        _demand(bool(sound), "logistic.penalties must be above 0, and one at least", self.penalties)
        _demand(self.blocks >= 2, "logistic.blocks must be 2 or more", self.blocks)


class TreeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Boosted trees: few ``leaves``, each of at least ``smallest_leaf`` of the rows; at most ``rounds`` trees."""

    rounds: int = 200
    patience: int = 25
    leaves: int = 6
    smallest_leaf: float = 0.04
    learning_rate: float = 0.04
    l2: float = 20.0
    columns: float = 0.4
    rows: float = 0.7

    def __post_init__(self) -> None:
        _demand(self.rounds >= 0 and self.patience >= 1, "trees.rounds and patience must be 0 and 1 or more", self)
        _demand(self.leaves >= 2 and self.l2 >= 0.0, "trees.leaves must be 2 or more, l2 not negative", self)
        shares = (self.smallest_leaf, self.columns, self.rows, self.learning_rate)
        _demand(all(0.0 < share <= 1.0 for share in shares), "shares of trees must lie in (0, 1]", shares)


class SequenceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a model with carried state is fitted.

    The tape is cut into pieces of which ``lanes`` step side by side, ``chunk`` bars between updates. ``epochs`` at
    most; fewer after ``patience`` of them without a better tail. ``hidden`` is the width of what is read out.
    ``dropout`` is of what is read out, ``column_dropout`` of the stream's columns. ``context_penalty`` is L2 on
    the head's weights of the context row, in nats a label.
    """

    hidden: int
    lanes: int
    chunk: int
    epochs: int
    learning_rate: float
    patience: int = 4
    weight_decay: float = 1.0
    context_penalty: float = 0.2
    dropout: float = 0.2
    column_dropout: float = 0.5

    def __post_init__(self) -> None:
        sizes = (self.hidden, self.lanes, self.chunk, self.epochs, self.patience)
        _demand(min(sizes) >= 1, "sizes of a sequence model must be 1 or more", sizes)
        _demand(self.learning_rate > 0.0, "learning_rate must be above 0", self.learning_rate)
        dropouts = (self.dropout, self.column_dropout)
        _demand(min(dropouts) >= 0.0 and max(dropouts) < 1.0, "dropouts must lie in [0, 1)", dropouts)
        _demand(min(self.weight_decay, self.context_penalty) >= 0.0, "decay and penalty must not be negative", self)


class LstmSettings(SequenceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``burn_in`` bars before a piece only bring up its state. Input weights are a product of rank ``rank``."""

    hidden: int = 24
    lanes: int = 64
    chunk: int = 64
    epochs: int = 16
    learning_rate: float = 3e-3
    weight_decay: float = 2.0
    burn_in: int = 64
    rank: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        _demand(min(self.burn_in, self.rank) >= 1, "lstm.burn_in and rank must be 1 or more", self)


class TransformerSettings(SequenceSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``hidden`` is the width of all layers; each sees the last ``window`` closes."""

    hidden: int = 32
    lanes: int = 16
    chunk: int = 256
    epochs: int = 8
    learning_rate: float = 6e-3
    layers: int = 2
    heads: int = 4
    window: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        _demand(min(self.layers, self.heads, self.window) >= 1, "sizes of the Transformer must be 1 or more", self)
        _demand(self.hidden % self.heads == 0, "transformer.hidden must be a multiple of heads", self.hidden)
        _demand(self.chunk % self.window == 0, "transformer.chunk must be a multiple of window", self.chunk)


class EnsembleFitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``blocks`` of cross-fitting; ``caps`` on single experts' weights; ``alpha`` and ``gamma`` of the conformal sets.

    Disagreement above its quantile ``disagreement`` abstains. Isotonic calibrators from ``isotonic_from`` labels on.
    """

    blocks: int = 5
    caps: dict[str, float] = msgspec.field(default_factory=lambda: {"ppo": 0.1})
    alpha: float = 0.1
    gamma: float = 0.01
    disagreement: float = 0.95
    isotonic_from: int = ISOTONIC_FROM

    def __post_init__(self) -> None:
        _demand(self.blocks >= 2, "ensemble.blocks must be 2 or more", self.blocks)
        sound = 0.0 < self.alpha < 1.0 and 0.0 <= self.gamma < 1.0 and 0.0 < self.disagreement <= 1.0
        _demand(sound, "ensemble.alpha, gamma and disagreement must be shares", self)


class TrainingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes of all models. ``ppo_steps`` are those of its environment; ``threads`` is of one fit; ``tail`` the share of
    the newest training rows that stop it.
    """

    logistic: LogisticSettings = LogisticSettings()
    trees: TreeSettings = TreeSettings()
    lstm: LstmSettings = LstmSettings()
    transformer: TransformerSettings = TransformerSettings()
    ppo_steps: int = 60_000
    ensemble: EnsembleFitSettings = EnsembleFitSettings()
    threads: int = 1
    tail: float = 0.15

    def __post_init__(self) -> None:
        _demand(self.ppo_steps >= 0, "ppo_steps must be 0 or more", self.ppo_steps)
        _demand(self.threads >= 1, "threads must be 1 or more", self.threads)
        _demand(0.0 < self.tail < 0.5, "tail must lie in (0, 0.5)", self.tail)


NANO = TrainingSettings(
    logistic=LogisticSettings(blocks=2),
    trees=TreeSettings(rounds=100, learning_rate=0.1),
    lstm=LstmSettings(hidden=12, lanes=32, chunk=32, burn_in=32, rank=8, epochs=10, learning_rate=6e-3),
    transformer=TransformerSettings(
        hidden=16, lanes=32, chunk=64, epochs=10, learning_rate=1e-2, layers=2, heads=2, window=16
    ),
    ppo_steps=8_192,
)
"""For a quick look, and for tests."""
