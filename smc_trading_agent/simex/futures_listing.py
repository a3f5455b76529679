"""What USD-M futures list: symbols, filters, limits, mark prices and funding terms."""

from __future__ import annotations

from smc_trading_agent.simex.endpoints import Call
from smc_trading_agent.simex.market_rest import FUTURES
from smc_trading_agent.simex.requests import FUTURES_TYPES
from smc_trading_agent.simex.rules import Symbol, money_text, plain

PERPETUAL_END = 4_133_404_800_000


def filters_of(symbol: Symbol) -> list[dict[str, object]]:
    """The filters of a symbol."""
    lot, tick = plain(symbol.lot), plain(symbol.tick)
    sizes: dict[str, object] = {"minQty": lot, "stepSize": lot}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick,
            "maxPrice": symbol.price(symbol.max_ticks),
            "tickSize": tick,
        },
        sizes | {"filterType": "LOT_SIZE", "maxQty": symbol.quantity(symbol.max_lots)},
        sizes | {"filterType": "MARKET_LOT_SIZE", "maxQty": symbol.quantity(symbol.market_max_lots)},
        {"filterType": "MAX_NUM_ORDERS", "limit": symbol.max_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": symbol.max_conditionals},
        {"filterType": "MIN_NOTIONAL", "notional": plain(symbol.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{symbol.band_up:.4f}",
            "multiplierDown": f"{symbol.band_down:.4f}",
            "multiplierDecimal": "4",
        },
    ]


@FUTURES.add("GET", "/fapi/v1/exchangeInfo")
def exchange_info(call: Call) -> object:
    """Symbols, filters and limits."""
    exchange = call.exchange
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": call.venue.limits[exchange.kind].described(),
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": 0}],
        "symbols": [
            {
                "symbol": symbol.name,
                "pair": symbol.name,
                "contractType": "PERPETUAL",
                "deliveryDate": PERPETUAL_END,
                "onboardDate": 1_569_398_400_000,
                "status": exchange.status[symbol.name],
                "maintMarginPercent": "2.5000",
                "requiredMarginPercent": "5.0000",
                "baseAsset": symbol.base,
                "quoteAsset": symbol.quote,
                "marginAsset": symbol.quote,
                "pricePrecision": symbol.places(symbol.tick),
                "quantityPrecision": symbol.places(symbol.lot),
                "baseAssetPrecision": 8,
                "quotePrecision": 8,
                "underlyingType": "COIN",
                "underlyingSubType": [],
                "settlePlan": 0,
                "triggerProtect": "0.0500",
                "liquidationFee": "0.012500",
                "marketTakeBound": "0.05",
                "maxMoveOrderLimit": 10000,
                "filters": filters_of(symbol),
                "orderTypes": sorted(FUTURES_TYPES),
                "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
            }
            for symbol in exchange.symbols.values()
        ],
    }


@FUTURES.add("GET", "/fapi/v1/premiumIndex")
def premium_index(call: Call) -> object:
    """Mark price and funding, of one symbol or of all."""
    rows = [
        {
            "symbol": s.name,
            "markPrice": s.full_price(call.exchange.marks[s.name]),
            "indexPrice": s.full_price(call.exchange.marks[s.name]),
            "estimatedSettlePrice": s.full_price(call.exchange.marks[s.name]),
            "lastFundingRate": money_text(call.exchange.funding_rate),
            "interestRate": "0.00010000",
            "nextFundingTime": call.exchange.next_funding_ms,
            "time": call.now_ms,
        }
        for s in call.symbols()
    ]
    return rows[0] if call.params.text("symbol") else rows


@FUTURES.add("GET", "/fapi/v1/fundingInfo")
def funding_info(call: Call) -> object:
    """No symbol departs from the usual funding terms."""
    return []
