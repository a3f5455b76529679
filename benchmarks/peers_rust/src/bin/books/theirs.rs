//! The tape in hftbacktest, with the depth that is its fastest and the queue model that is the same as ours.

use super::{Outcome, Row, INTERVAL, LATENCY};
use hftbacktest::backtest::assettype::LinearAsset;
use hftbacktest::backtest::data::{Data, DataSource};
use hftbacktest::backtest::models::{CommonFees, ConstantLatency, RiskAdverseQueueModel, TradingValueFeeModel};
use hftbacktest::backtest::{Backtest, ExchangeKind, L2AssetBuilder};
use hftbacktest::depth::{MarketDepth, ROIVectorMarketDepth};
use hftbacktest::types::{
    Bot, ElapseResult, Event, OrdType, Status, TimeInForce, BUY_EVENT, DEPTH_CLEAR_EVENT, DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT, EXCH_EVENT, LOCAL_EVENT, SELL_EVENT, TRADE_EVENT,
};
use std::error::Error;
use std::time::Instant;

/// The tape as its events, and what its depth needs to know.
pub struct Market {
    data: Data<Event>,
    tick: f64,
    lot: f64,
    range: (f64, f64),
}

impl Market {
    /// Each event is seen once by its venue and once by its agent: together where that is the order of both, else apart.
    pub fn new(rows: &[Row], tick: f64, lot: f64) -> Self {
        let messages: Vec<&[Row]> = rows.chunk_by(|one, other| one.message == other.message).collect();
        let mut by_exchange: Vec<usize> = (0..messages.len()).collect();
        by_exchange.sort_by_key(|&index| messages[index][0].exchange);
        let mut happened = vec![false; messages.len()];
        let (mut events, mut next) = (Vec::with_capacity(rows.len()), 0);
        for index in 0..messages.len() {
            while !happened[index] && by_exchange[next] != index {
                happened[by_exchange[next]] = true;
                push(&mut events, messages[by_exchange[next]], EXCH_EVENT, tick, lot);
                next += 1;
            }
            let both = !happened[index];
            if both {
                happened[index] = true;
                next += 1;
            }
            push(&mut events, messages[index], if both { EXCH_EVENT | LOCAL_EVENT } else { LOCAL_EVENT }, tick, lot);
        }
        // A range of a fifth around the first trade: what its users give it. Levels outside are not kept.
        let first = rows.iter().find(|row| row.kind == 2).map_or(1, |row| row.key.abs()) as f64 * tick;
        Self { data: Data::from_data(&events), tick, lot, range: (first * 0.8, first * 1.2) }
    }

    /// Nanoseconds of one replay, and what it came to.
    pub fn replay(&self, maker: bool) -> Result<(u64, Outcome), Box<dyn Error>> {
        let (tick, lot, range) = (self.tick, self.lot, self.range);
        let asset = L2AssetBuilder::new()
            .data(vec![DataSource::Data(self.data.clone())])
            .latency_model(ConstantLatency::new(LATENCY, LATENCY))
            .asset_type(LinearAsset::new(1.0))
            .fee_model(TradingValueFeeModel::new(CommonFees::new(0.0, 0.0)))
            .exchange(ExchangeKind::NoPartialFillExchange)
            .queue_model(RiskAdverseQueueModel::new())
            .depth(move || ROIVectorMarketDepth::new(tick, lot, range.0, range.1))
            .build()?;
        let mut backtest = Backtest::builder().add_asset(asset).build()?;
        let mut outcome = Outcome::default();
        let began = Instant::now();
        while backtest.elapse(INTERVAL)? == ElapseResult::Ok {
            let depth = backtest.depth(0);
            let (bid, ask) = (depth.best_bid_tick(), depth.best_ask_tick());
            if bid <= 0 || ask == i64::MAX {
                continue;
            }
            outcome.look(bid, ask);
            if maker {
                for side in [1, -1] {
                    if outcome.orders >= 2 && backtest.orders(0).contains_key(&(outcome.orders - 2)) {
                        // It refuses to cancel what has ended.
                        let open = backtest.orders(0)[&(outcome.orders - 2)].cancellable();
                        if open {
                            backtest.cancel(0, outcome.orders - 2, false)?;
                        }
                    }
                    let number = outcome.orders;
                    if side > 0 {
                        backtest.submit_buy_order(
                            0,
                            number,
                            bid as f64 * tick,
                            lot,
                            TimeInForce::GTC,
                            OrdType::Limit,
                            false,
                        )?;
                    } else {
                        backtest.submit_sell_order(
                            0,
                            number,
                            ask as f64 * tick,
                            lot,
                            TimeInForce::GTC,
                            OrdType::Limit,
                            false,
                        )?;
                    }
                    outcome.orders += 1;
                }
                for order in backtest.orders(0).values().filter(|order| order.status == Status::Filled) {
                    *(if order.order_id % 2 == 0 { &mut outcome.bought } else { &mut outcome.sold }) += 1;
                }
                backtest.clear_inactive_orders(Some(0));
            }
        }
        Ok((began.elapsed().as_nanos() as u64, outcome))
    }
}

fn push(events: &mut Vec<Event>, message: &[Row], seen_by: u64, tick: f64, lot: f64) {
    let event = |kind: u64, key: i64, quantity: i64| Event {
        ev: kind | seen_by | if key > 0 { BUY_EVENT } else { SELL_EVENT },
        exch_ts: message[0].exchange,
        local_ts: message[0].local,
        px: key.abs() as f64 * tick,
        qty: quantity as f64 * lot,
        order_id: 0,
        ival: 0,
        fval: 0.0,
    };
    let kind = match message[0].kind {
        0 => DEPTH_EVENT,
        1 => DEPTH_SNAPSHOT_EVENT,
        _ => TRADE_EVENT,
    };
    if kind == DEPTH_SNAPSHOT_EVENT {
        for side in [true, false] {
            let worst = message.iter().rfind(|row| (row.key > 0) == side);
            events.extend(worst.map(|row| event(DEPTH_CLEAR_EVENT, row.key, 0)));
        }
    }
    events.extend(message.iter().map(|row| event(kind, row.key, row.quantity)));
}
