//! Any settings, any bars: see [`smc_core_fuzz::harness::readings`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smc_core_fuzz::harness::readings(data));
