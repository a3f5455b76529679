"""The gateway's signature under an order: without it the execution engine sends nothing."""

from __future__ import annotations

import hashlib
import hmac

import msgspec

from smc_trading_agent.domain.errors import UnsealedOrder
from smc_trading_agent.domain.types import ApprovedOrder

_encoder = msgspec.json.Encoder()


class ApprovalSeal:
    """A keyed signature shared by one risk gateway and one execution engine.

    The key lives for one process and is never written anywhere, so no other code can make an
    `ApprovedOrder` that passes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError(f"the approval seal needs a key of 16 bytes or more, got {len(key)}")
        self._keyed = hashlib.blake2b(key=key, digest_size=16)

    def sign(self, order: ApprovedOrder) -> ApprovedOrder:
        """The same order, sealed."""
        return msgspec.structs.replace(order, seal=self._signature(order))

    def verify(self, order: ApprovedOrder) -> None:
        """Raises `UnsealedOrder` unless this seal signed exactly this order."""
        if not hmac.compare_digest(order.seal, self._signature(order)):
            raise UnsealedOrder(
                f"order {order.client_order_id} carries no valid seal of the risk gateway; "
                "send intents through RiskGateway.review, never to the engine directly"
            )

    def _signature(self, order: ApprovedOrder) -> bytes:
        unsealed = msgspec.structs.replace(order, seal=b"") if order.seal else order
        content = _encoder.encode(unsealed)
        signature = self._keyed.copy()
        signature.update(content)
        return signature.digest()
