//! Positions as a decision process: rewards add up to results, lanes are independent, brackets end as at the venue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use smc_core::gym::{EpisodeOrder, GymError, GymTape, StepBuffers, Trade, TradeGym, SIZES, STATE_NAMES};
use smc_core::market::Bar;
use smc_core::sim::{BarrierTracker, VirtualBracket};

const WIDTH: usize = 2;

fn bars(closes: &[i64]) -> Vec<Bar> {
    let mut open = closes[0];
    let make = |(index, &close): (usize, &i64)| {
        let open_time = index as i64 * 60;
        let (high, low) = (open.max(close) + 1, open.min(close) - 1);
        let bar = Bar {
            open_time,
            close_time: open_time + 60,
            open,
            high,
            low,
            close,
            volume: 1,
            taker_buy_volume: 0,
            trades: 1,
        };
        open = close;
        bar
    };
    closes.iter().enumerate().map(make).collect()
}

fn tape(bars: &[Bar], trades: Vec<Trade>) -> GymTape {
    let long: Vec<f32> = (0..bars.len() * WIDTH).map(|value| value as f32).collect();
    let short = long.iter().map(|value| -value).collect();
    GymTape::new(bars.to_vec(), long, short, WIDTH, trades).unwrap()
}

fn long(first_bar: usize, entry: i64, stop: i64, target: i64) -> Trade {
    let known_bar = first_bar - 1;
    Trade { known_bar, first_bar, side: 1, entry, stop, target, deadline: i64::MAX, cost: 0.125, break_even: 0.375 }
}

/// One lane, played to the end of its first trade: rewards and the observations before each action.
fn play(tape: GymTape, actions: &[i64]) -> (Vec<f32>, Vec<Vec<f32>>, bool) {
    let mut gym = TradeGym::new(tape, 1, EpisodeOrder::Sequential, 0).unwrap();
    let width = gym.width();
    let (mut observation, mut terminal) = (vec![0.0; width], vec![0.0; width]);
    let (mut reward, mut done, mut trade) = ([0.0f32], [0u8], [-1i64]);
    gym.reset(&mut observation).unwrap();
    let (mut rewards, mut seen) = (Vec::new(), Vec::new());
    for &action in actions {
        seen.push(observation.clone());
        let mut out = StepBuffers {
            observations: &mut observation,
            terminal: &mut terminal,
            rewards: &mut reward,
            dones: &mut done,
            trades: &mut trade,
        };
        gym.step(&[action], &mut out).unwrap();
        rewards.push(reward[0]);
        if done[0] == 1 {
            seen.push(terminal);
            return (rewards, seen, true);
        }
    }
    (rewards, seen, false)
}

#[test]
fn a_target_pays_its_distance_less_costs_times_the_size() {
    let market = bars(&[100, 100, 104, 106, 130, 130]);
    let (rewards, seen, done) = play(tape(&market, vec![long(1, 100, 92, 116)]), &[1, 0, 0, 0]);
    assert!(done);
    assert_eq!(rewards, [0.5 * -0.125, 0.5 * 0.5, 0.5 * 0.25, 0.5 * (2.0 - 0.75)]);
    let state = &seen[2][WIDTH..];
    assert_eq!(state, [0.0, 0.5, 0.5, 0.5, 0.0, 2.0, state[6], 0.375]);
    assert_eq!(&seen[2][..WIDTH], [4.0, 5.0]);
    assert_eq!(STATE_NAMES.len(), state.len());
}

#[test]
fn a_target_that_is_cheaper_to_leave_at_pays_back_the_difference() {
    let market = bars(&[100, 100, 104, 130, 130]);
    // Leaving at the target costs 0.0625 R: P * (2 - 0.0625) = (1 - P) * 1.125.
    let trade = Trade { break_even: 1.125 / (1.125 + 1.9375), ..long(1, 100, 92, 116) };
    let (rewards, _, done) = play(tape(&market, vec![trade]), &[3, 0, 0]);
    assert!(done);
    assert!((rewards.iter().sum::<f32>() - 1.9375).abs() < 1e-6, "{rewards:?}");
}

#[test]
fn the_size_is_chosen_at_the_close_that_knew_the_setup_and_an_entry_bar_may_stop() {
    let market = bars(&[100, 100, 101, 98, 90, 97, 97]);
    let trade = Trade { known_bar: 1, first_bar: 4, ..long(4, 99, 92, 113) };
    let (rewards, seen, _) = play(tape(&market, vec![trade]), &[0, 0]);
    assert_eq!(&seen[0][..WIDTH], [2.0, 3.0]);
    assert_eq!(&seen[1][..WIDTH], [6.0, 7.0]);
    assert_eq!(rewards[0], 0.25 * (-1.0 / 7.0 - 0.125));
    let stopped = Trade { known_bar: 1, first_bar: 5, ..trade };
    let (rewards, _, done) = play(tape(&market, vec![stopped]), &[3]);
    assert!(done);
    // The entry rests at 99 and the bar opens at 98: it fills at 99, and its stop is in the way of the rest.
    assert_eq!(rewards, [-1.125]);
}

#[test]
fn leaving_is_at_the_next_open_whatever_comes_after_it() {
    let market = bars(&[100, 100, 106, 80, 80]);
    let (rewards, _, done) = play(tape(&market, vec![long(1, 100, 90, 120)]), &[3, 0, 1]);
    assert!(done);
    assert!((rewards.iter().sum::<f32>() - (0.6 - 0.125)).abs() < 1e-6, "{rewards:?}");
}

#[test]
fn what_does_not_fit_is_named() {
    let market = bars(&[100, 101, 102]);
    let short = Trade { side: -1, ..long(1, 100, 90, 120) };
    let error = GymTape::new(market.clone(), vec![0.0; 6], vec![0.0; 6], WIDTH, vec![short]).unwrap_err();
    assert!(error.to_string().contains("stop, entry and target"), "{error}");
    let error = GymTape::new(market.clone(), vec![0.0; 5], vec![0.0; 6], WIDTH, vec![]).unwrap_err();
    assert!(matches!(error, GymError::ViewShape { name: "long", wanted: 6, .. }));
    let mut gym = TradeGym::new(tape(&market, vec![long(1, 100, 90, 120)]), 1, EpisodeOrder::Shuffled, 3).unwrap();
    let width = gym.width();
    let error = gym.reset(&mut vec![0.0; width + 1]).unwrap_err();
    assert!(error.to_string().contains("observations"), "{error}");
    let (mut one, mut other, mut reward, mut done, mut trade) = (vec![0.0; width], vec![0.0; width], [0.0], [0], [0]);
    let mut out = StepBuffers {
        observations: &mut one,
        terminal: &mut other,
        rewards: &mut reward,
        dones: &mut done,
        trades: &mut trade,
    };
    assert_eq!(
        gym.step(&[4], &mut out).unwrap_err(),
        GymError::UnknownAction { lane: 0, action: 4, actions: 4, last: 3 }
    );
}

proptest! {
    /// Held to its end at full size, a trade earns what the barrier tracker, which labels are made with, says.
    #[test]
    fn a_held_trade_ends_as_its_label_says(
        steps in prop::collection::vec(-6i64..=6, 4..80),
        side in prop::sample::select(vec![1i8, -1]),
        away in -2i64..6,
        stop in 3i64..15,
        target in 3i64..25,
        life in 2i64..40,
    ) {
        let mut price = 1_000;
        let closes: Vec<i64> = std::iter::once(price).chain(steps.iter().map(|step| { price += step; price })).collect();
        let market = bars(&closes);
        let sign = i64::from(side);
        let entry = market[0].close - sign * away;
        let time_limit_ns = life * 60;
        let mut tracker = BarrierTracker::default();
        tracker.add(VirtualBracket {
            key: "one".into(), side, entry, stop: entry - sign * stop, target: entry + sign * target,
            from: market[0].close_time, entry_expires_at: 0, time_limit_ns,
        }).unwrap();
        let ended = tracker.on_bars(&market[1..]).unwrap();
        let held = ended.first().and_then(|outcome| {
            let first_bar = market.iter().position(|bar| bar.open_time >= outcome.entered_at)?;
            Some((outcome, first_bar))
        });
        if let Some((outcome, first_bar)) = held {
            let trade = Trade {
                known_bar: 0, first_bar, side, entry, stop: entry - sign * stop, target: entry + sign * target,
                deadline: outcome.entered_at + time_limit_ns, cost: 0.0,
                break_even: stop as f32 / (stop + target) as f32,
            };
            let (rewards, _, done) = play(tape(&market, vec![trade]), &[vec![3], vec![0; market.len()]].concat());
            let total: f32 = rewards.iter().sum();
            let expected = (sign * (outcome.exit_price - entry)) as f32 / stop as f32;
            prop_assert!(done);
            prop_assert!((total - expected).abs() < 1e-4, "{total} against {expected}");
        }
    }

    #[test]
    fn every_trade_is_played_once_before_any_twice(lanes in 1usize..6, trades in 1usize..12, seed in any::<u64>()) {
        let market = bars(&[100; 40]);
        let list = (0..trades).map(|number| Trade { deadline: 0, ..long(1 + number, 100, 90, 120) }).collect();
        let mut gym = TradeGym::new(tape(&market, list), lanes, EpisodeOrder::Shuffled, seed).unwrap();
        let width = gym.width();
        let mut buffers = (vec![0.0; lanes * width], vec![0.0; lanes * width]);
        let (mut rewards, mut dones, mut ended) = (vec![0.0; lanes], vec![0; lanes], vec![-1; lanes]);
        let mut played = Vec::new();
        while played.len() < 3 * trades {
            let mut out = StepBuffers {
                observations: &mut buffers.0, terminal: &mut buffers.1,
                rewards: &mut rewards, dones: &mut dones, trades: &mut ended,
            };
            gym.step(&vec![0; lanes], &mut out).unwrap();
            played.extend(dones.iter().zip(&ended).filter(|(&done, _)| done == 1).map(|(_, &trade)| trade));
        }
        for round in played.chunks(trades).take(3) {
            let mut round = round.to_vec();
            round.sort_unstable();
            prop_assert_eq!(round, (0..trades as i64).collect::<Vec<_>>());
        }
        prop_assert!(SIZES.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
