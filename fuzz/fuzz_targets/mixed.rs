//! Fuzzes the reader and the writer of tables with columns of all kinds.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    gannet_fuzz::tables::check(input);
});
