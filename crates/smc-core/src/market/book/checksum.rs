//! Checksums by which venues let a client prove its book. Binance has none; OKX sends one with every update.

use super::OrderBook;
use crate::market::{Grid, Instrument};
use std::fmt::Write;

/// Levels of each side that the checksum of OKX covers.
const OKX_DEPTH: usize = 25;

/// CRC-32 of ISO-HDLC (polynomial 0x04C11DB7, reflected, start and end inverted), as zip and the venues use it.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| (sum >> 8) ^ CRC_TABLE[((sum ^ u32::from(byte)) & 0xFF) as usize])
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0xEDB8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
};

/// The checksum of OKX: CRC-32, read as signed, of `price:quantity` of the best 25 bids and asks in turn, joined by `:`.
///
/// Where a side has fewer levels the other's follow each other. Numbers are written without trailing zeros, as
/// the venue sends them.
#[must_use]
pub fn okx_checksum(book: &OrderBook, instrument: &Instrument) -> i32 {
    let (mut bids, mut asks) = (book.bids().take(OKX_DEPTH), book.asks().take(OKX_DEPTH));
    let mut text = String::new();
    for _ in 0..OKX_DEPTH {
        for (price, quantity) in [bids.next(), asks.next()].into_iter().flatten() {
            let colon = if text.is_empty() { "" } else { ":" };
            let (price, quantity) = (shortest(instrument.tick, price), shortest(instrument.lot, quantity));
            // Writing to a string cannot fail.
            let _ = write!(text, "{colon}{price}:{quantity}");
        }
    }
    crc32(text.as_bytes()).cast_signed()
}

/// Decimal text without trailing zeros.
fn shortest(grid: Grid, steps: i64) -> String {
    let text = grid.format(steps);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_sum_is_the_one_that_the_world_uses() {
        // The check value of the catalogue of parametrised CRC algorithms.
        assert_eq!((crc32(b"123456789"), crc32(b"")), (0xCBF4_3926, 0));
    }

    #[test]
    fn sides_alternate_and_the_longer_goes_on() {
        let instrument = Instrument::new("okx", "X", "0.1", "0.01", "0").unwrap();
        let mut book = OrderBook::new();
        for (side, price, quantity) in [(1, 33_661, 700), (1, 33_660, 6), (-1, 33_662, 850), (-1, 33_670, 120)] {
            book.apply(side, price, quantity).unwrap();
        }
        book.apply(-1, 33_680, 1).unwrap();
        let text = "3366.1:7:3366.2:8.5:3366:0.06:3367:1.2:3368:0.01";
        assert_eq!(okx_checksum(&book, &instrument), crc32(text.as_bytes()).cast_signed());
    }
}
