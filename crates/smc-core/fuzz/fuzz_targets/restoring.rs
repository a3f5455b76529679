//! Any bytes as a snapshot: see [`smc_core_fuzz::harness::restoring`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| smc_core_fuzz::harness::restoring(data));
