//! Fuzzes the oracle `codec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    gannet_fuzz::check("codec", input);
});
