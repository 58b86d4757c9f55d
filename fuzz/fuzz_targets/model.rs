//! Fuzzes the oracle `model`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    gannet_fuzz::check("model", input);
});
