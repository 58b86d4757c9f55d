//! Fuzzes the oracle `history`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    gannet_fuzz::check("history", input);
});
