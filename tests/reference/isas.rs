//! Instruction sets whose results are the same bits, and a test that compares one set with itself does not pass unseen.

use std::io::Write;

use gannet::cpu::Isa;

/// The instruction sets of this machine whose native results must agree to the bit: those that fuse multiply-adds. Says which they
/// are.
///
/// # Panics
///
/// If they are fewer than two, unless `GANNET_ALLOW_ONE_ISA` is set.
pub(crate) fn to_compare() -> Vec<Isa> {
    let fused: Vec<Isa> = Isa::available().into_iter().filter(|isa| isa.fused()).collect();
    let names = fused.iter().map(|isa| isa.kind().to_string()).collect::<Vec<_>>().join(", ");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(
        fused.len() > 1 || std::env::var_os("GANNET_ALLOW_ONE_ISA").is_some(),
        "{test} compares instruction sets that fuse, and this machine has fewer than two ({names}); run it on one with AVX-512, or \
         set GANNET_ALLOW_ONE_ISA=1 to do without"
    );
    // Not `eprintln`, whose lines the test harness shows for failed tests only.
    _ = writeln!(std::io::stderr(), "SAME BITS {test}: {names}");
    fused
}
