//! `gannet info`: the processor, its instruction sets, the engines and the measured peak.

use gannet::cpu::Isa;
use gannet::internals::machine::{cores, processor};
use gannet::internals::peak::peak_flops;
use serde::Serialize;

use crate::commands::args::InfoArgs;
use crate::numbers::gflops;
use crate::terminal::output;
use gannet_settings::values::ENGINES;

#[derive(Serialize)]
struct Info {
    version: &'static str,
    processor: String,
    cores: usize,
    instruction_sets: Vec<InstructionSet>,
    isa: String,
    engines: Vec<&'static str>,
}

#[derive(Serialize)]
struct InstructionSet {
    isa: String,
    lanes: usize,
    /// Of one thread.
    peak_gflops: f64,
    used: bool,
}

/// Runs the command.
pub(crate) fn command(args: &InfoArgs) -> anyhow::Result<()> {
    let used = Isa::resolve(None)?;
    let instruction_sets: Vec<_> = Isa::available()
        .into_iter()
        .map(|isa| InstructionSet {
            isa: isa.kind().to_string(),
            lanes: isa.lanes(),
            peak_gflops: peak_flops(isa) / 1e9,
            used: isa == used,
        })
        .collect();
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        processor: processor(),
        cores: cores(),
        instruction_sets,
        isa: used.kind().to_string(),
        engines: ENGINES.iter().map(|&(name, _)| name).collect(),
    };
    if args.json { output::print_json(&info) } else { output::print_text(&text(&info)) }
}

fn text(info: &Info) -> String {
    let mut rows: Vec<Vec<String>> = [
        ("gannet", info.version.to_string()),
        ("processor", info.processor.clone()),
        ("cores", format!("{} (threads that the system lets this program run at once)", info.cores)),
        ("engines", info.engines.join(", ")),
    ]
    .into_iter()
    .map(|(name, value)| vec![name.to_string(), value])
    .collect();
    for (index, set) in info.instruction_sets.iter().enumerate() {
        let name = if index == 0 { "instruction sets" } else { "" };
        let used = if set.used { ", used" } else { "" };
        rows.push(vec![
            name.to_string(),
            format!(
                "{:<8}  {:>2} lanes, FMA peak of one thread {} GFLOP/s{used}",
                set.isa,
                set.lanes,
                gflops(set.peak_gflops)
            ),
        ]);
    }
    output::table(&rows, &[true, true])
}
