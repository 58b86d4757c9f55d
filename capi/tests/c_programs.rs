//! Programs in C and C++ against the installed interface: `tests/c`.

mod common;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Once;

use common::{installed, package, run};
use gannet::cpu::{EngineKind, Isa, IsaKind};
use gannet::data::digits;
use gannet::gan::presets::Preset;
use gannet::gan::{DenseNetwork, GanSpec, GradientMode, ModularLoss, Network, Trainer, TrainerOptions, source};
use gannet::net::LayerTensors;
use sha2::{Digest, Sha256};

/// Runs the program of all functions, whose files go to a folder of its own. `missing` is an instruction set that there is not.
fn check(mut command: Command, missing: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    run(command.arg(folder.path()).args(missing));
}

/// Whether the processor has an instruction set.
fn has_isa(kind: IsaKind) -> bool {
    Isa::available().iter().any(|isa| isa.kind() == kind)
}

#[test]
fn every_function_and_every_status_in_c_and_cpp() {
    let Some(installed) = installed() else { return };
    let missing =
        [IsaKind::Avx512, IsaKind::Avx2].into_iter().find(|kind| !has_isa(*kind)).map(|kind| kind.to_string());
    check(Command::new(installed.c_program("check")), missing.as_deref());
    check(Command::new(installed.cpp_program("check")), missing.as_deref());
}

#[test]
fn the_program_of_the_documentation_runs() {
    let Some(installed) = installed() else { return };
    let text = std::fs::read_to_string(package().join("../docs/embedding.md")).unwrap();
    let (_, rest) = text.split_once("```c\n").unwrap();
    let (program, _) = rest.split_once("```").unwrap();
    let source = installed.folder().join("loop.c");
    std::fs::write(&source, program).unwrap();
    let output = run(Command::new(installed.c_program_of(&source)).current_dir(installed.folder()));
    assert!(String::from_utf8_lossy(&output.stdout).contains("step 3200: D"));
    // The command as it stands there builds it, too.
    let command = text.lines().find(|line| line.starts_with("gcc ")).unwrap();
    run(&mut installed.shell(command));
    let output = run(&mut installed.shell("./loop"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("step 3200: D"));
}

#[test]
fn eight_handles_from_eight_threads() {
    let Some(installed) = installed() else { return };
    run(Command::new(installed.c_program("stress")).args(["circle", "12", "20"]));
}

#[test]
fn valgrind_finds_no_leak_and_no_error() {
    let Some(installed) = installed() else { return };
    if !common::has("valgrind") {
        common::skip("valgrind", "install the package valgrind");
        return;
    }
    check(under_valgrind(&installed.c_program("check")), Some("avx512"));
    run(under_valgrind(&installed.c_program("stress")).args(["gaussian2d", "2", "5"]));
    run(under_valgrind(&installed.c_program("train")).args(["gaussian2d", "2", "32", "2", "3", "2"]));
}

/// The command that runs a program under valgrind, which knows no AVX-512 and hides it from the program.
fn under_valgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    let known = package().join("tests/c/valgrind.supp");
    command
        .arg(format!("--suppressions={}", known.display()))
        .args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--child-silent-after-fork=yes"])
        .args(["--show-leak-kinds=definite,indirect,possible", "--errors-for-leak-kinds=definite,indirect,possible"])
        .arg(program)
        .env("GANNET_ISA", if has_isa(IsaKind::Avx2) { "avx2" } else { "portable" });
    command
}

/// What the tests in C train on.
fn values(count: usize) -> Vec<f32> {
    (0..count as u64).map(|index| (index * 7919 % 2001) as f32 / 1000.0 - 1.0).collect()
}

/// FNV-1a over the bits of numbers.
fn fnv(values: impl IntoIterator<Item = f32>) -> String {
    let bytes = values.into_iter().flat_map(f32::to_le_bytes);
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

/// The parameters of both networks.
fn parameters(trainer: &Trainer<'_>) -> Vec<f32> {
    Network::ALL
        .into_iter()
        .flat_map(|network| trainer.parameters(network))
        .flat_map(|tensor| tensor.values())
        .collect()
}

/// The hash that `train` prints.
fn trained_in_c(program: &Path, preset: Preset, features: usize, batch: usize, threads: usize) -> String {
    let arguments = [features, batch, threads, 5, 10].map(|number| number.to_string());
    let output = run(Command::new(program).arg(preset.name()).args(arguments));
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

#[test]
fn the_same_seed_gives_the_same_bits_in_rust_and_in_c() {
    let Some(installed) = installed() else { return };
    let program = installed.c_program("train");
    let mut hashes = BTreeSet::new();
    for (preset, features, batch) in [
        (Preset::Circle, 2, 32),
        (Preset::Gaussian2d, 2, 64),
        (Preset::Mixture1dDeep, 1, 200),
        (Preset::Digits, 64, 100),
    ] {
        let values = values(500 * features);
        let rows = std::sync::Arc::new(source::from_rows(&values, features).unwrap());
        let options = TrainerOptions::default().with_batch(batch).with_seed(7).with_engine(EngineKind::Native);
        let options = options.with_shuffle(preset.shuffle());
        let mut trainer = Trainer::new(preset.spec(), rows, options).unwrap();
        trainer.run(50, 0, |_| ControlFlow::Continue(())).unwrap();
        let in_rust = fnv(parameters(&trainer));
        for threads in [1, 2] {
            let in_c = trained_in_c(&program, preset, features, batch, threads);
            assert_eq!(in_c, in_rust, "{} with {threads} threads", preset.name());
        }
        hashes.insert(in_rust);
    }
    assert_eq!(hashes.len(), 4, "{hashes:?}");
}

/// Layers' weights and biases, as they stand in C.
fn flat(layers: &[LayerTensors]) -> impl Iterator<Item = f32> + '_ {
    layers.iter().flat_map(|layer| layer.weight.iter().chain(&layer.bias).copied())
}

/// The job of `one_job.c` in Rust: the SHA-256 of the trained model, and the lines that it prints.
fn one_job_in_rust() -> gannet::Result<(String, String)> {
    const BATCH: usize = 64;
    let preset = Preset::Digits;
    let options = || TrainerOptions::default().with_batch(BATCH).with_seed(1);
    let images: Vec<f32> = digits::images().iter().map(|&pixel| f32::from(pixel) / 8.0 - 1.0).collect();
    let rows = &images[..BATCH * 64];

    let source = std::sync::Arc::new(digits::source()?);
    let mut trainer = Trainer::new(preset.spec(), source, options().with_shuffle(preset.shuffle()))?;
    trainer.run(300, 0, |_| ControlFlow::Continue(()))?;
    let model = Sha256::digest(trainer.model()?.to_safetensors(trainer.spec())?);
    let model = model.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut samples = vec![0.0; 100 * 64];
    trainer.sampler()?.sample(3, 10, &mut samples)?;

    let GanSpec { discriminator, objective, penalties, discriminator_optimizer, .. } = preset.spec();
    let mut loss =
        ModularLoss::with_penalties(discriminator.clone(), objective, penalties, discriminator_optimizer, options())?;
    let (fakes, mut gradient) = (values(rows.len()), vec![0.0; rows.len()]);
    for _ in 0..5 {
        loss.step(&fakes, rows, &mut gradient)?;
    }
    let of_loss = fnv(gradient.iter().copied().chain(flat(&loss.discriminator()?)));

    let mut network = DenseNetwork::new(discriminator, options())?;
    let mut answers = [0.0; BATCH];
    network.forward_in_training(rows, 5, &mut answers)?;
    network.backward(&[1.0; BATCH], Some(&mut gradient), GradientMode::Overwrite)?;
    let of_network = fnv(answers.into_iter().chain(gradient).chain(flat(&network.gradients()?)));
    Ok((model, format!("samples {}\nloss {of_loss}\nnetwork {of_network}\n", fnv(samples))))
}

/// The same in Python: `test_bits.py` of the package, which reads the same two files. The model is also the program's: `scripts/hashes.py`.
#[test]
fn one_job_has_the_bits_of_the_documents_in_rust_and_in_c() {
    let (model, lines) = one_job_in_rust().unwrap();
    if Isa::resolve(None).unwrap().kind() == IsaKind::Portable {
        println!("the documents have the bits of a fused multiply-add");
    } else {
        let document = std::fs::read_to_string(package().join("../docs/hashes.md")).unwrap();
        assert!(document.contains(&format!("| `digits` | 64 | 300 | 1 | `{model}` |")), "{model}");
        assert_eq!(lines, std::fs::read_to_string(package().join("tests/one_job.txt")).unwrap());
    }
    let Some(installed) = installed() else { return };
    let file = installed.folder().join("model.safetensors");
    let output =
        run(Command::new(installed.c_program("one_job")).arg(package().join("../assets/digits.bin")).arg(&file));
    assert_eq!(String::from_utf8_lossy(&output.stdout), lines);
    let in_c: String = Sha256::digest(std::fs::read(&file).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(in_c, model);
}

/// What a program prints of its allocations; `None` where they cannot be counted.
fn allocation_counter(installed: &common::Installed) -> Option<impl Fn(&Path, &[&str]) -> String> {
    if !cfg!(target_env = "gnu") {
        common::skip("glibc", "run this test on a system with glibc");
        return None;
    }
    let counter = installed.folder().join("counter.so");
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let source = package().join("../scripts/count_allocations.c");
        run(Command::new("gcc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&counter).arg(source));
    });
    Some(move |program: &Path, arguments: &[&str]| {
        let output = run(Command::new(program).args(arguments).env("LD_PRELOAD", &counter));
        let told = String::from_utf8_lossy(&output.stderr).trim().to_string();
        assert!(told.starts_with("malloc "), "{told}");
        told
    })
}

#[test]
fn a_step_driven_from_c_allocates_nothing() {
    let Some(installed) = installed() else { return };
    let Some(count) = allocation_counter(installed) else { return };
    let program = installed.c_program("train");
    // One call of many steps for any number of threads; with one thread, many calls too.
    let cases = [
        (["circle", "2", "256", "1"], ["1", "100"], ["1", "400"]),
        (["circle", "2", "256", "2"], ["1", "100"], ["1", "400"]),
        (["circle", "2", "32", "1"], ["100", "1"], ["400", "1"]),
        (["digits", "64", "100", "2"], ["1", "20"], ["1", "80"]),
    ];
    for (run, fewer, more) in cases {
        let [fewer, more] = [fewer, more].map(|steps| [&run[..], &steps].concat());
        // On a busy machine a thread of a short run may come too late to look for jobs, for which the pool allocates once. What a
        // step allocates shows every time.
        let same = (0..3).any(|_| count(&program, &fewer) == count(&program, &more));
        let told = count(&program, &more);
        assert!(same, "{} with {fewer:?}, {told} with {more:?}", count(&program, &fewer));
    }
}

#[test]
fn no_call_of_one_thread_allocates() {
    let Some(installed) = installed() else { return };
    let Some(count) = allocation_counter(installed) else { return };
    let program = installed.c_program("calls");
    for what in
        ["step", "halves", "answered", "progress", "strided", "filled", "loss", "network", "sampler", "function"]
    {
        let [fewer, more] = ["50", "150"].map(|calls| count(&program, &[what, "1", calls]));
        assert_eq!(fewer, more, "{what}");
    }
    // Of several threads a run enters its pool once, and so does each call that is no run: a few blocks, which the documentation counts.
    let [fewer, more] = ["50", "150"].map(|calls| {
        let told = count(&program, &["loss", "2", calls]);
        told.split(' ').filter_map(|word| word.parse::<i64>().ok()).take(4).sum::<i64>()
    });
    assert!((100..=500).contains(&(more - fewer)), "{fewer} of 50 calls, {more} of 150");
}
