//! Which state of a run `sample`, `evaluate` and `export` take, and what an exported file says.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::place::Place;

/// Trains a run whose best evaluation is not its last; returns its steps, the best first.
fn with_better_past(place: &Place) -> (u64, u64) {
    // A learning rate at which the distance jumps about.
    for seed in 0..20 {
        let result = place.json(&format!(
            "train circle --steps 200 --points 300 --evaluate-every 20 --checkpoint-steps 40 --keep 3 --learning-rate 0.01 --seed {seed} --quiet --json --out run"
        ));
        let best = &result["best"];
        let [step, last] = ["step", "last_step"].map(|name| best[name].as_u64().unwrap());
        // Neither the end nor one of the other checkpoints.
        if ![120, 160, 200].contains(&step) {
            assert_eq!(last, 200);
            return (step, last);
        }
        fs::remove_dir_all(place.path("run")).unwrap();
    }
    panic!("no seed has its best evaluation before its end");
}

#[test]
fn the_best_model_is_told_and_can_be_taken() {
    let place = Place::new();
    let (step, _) = with_better_past(&place);
    // Where it stands, and how much better it is.
    let told: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    let rows = place.read("run/evaluation.csv");
    let value_at = |step: u64| -> f64 {
        let row = rows.lines().find(|row| row.starts_with(&format!("{step},"))).unwrap();
        row.split(',').nth(2).unwrap().parse().unwrap()
    };
    assert_eq!(told["best"]["measure"], "sliced_wasserstein");
    assert_eq!(told["best"]["value"].as_f64(), Some(value_at(step)));
    assert_eq!(told["best"]["last_value"].as_f64(), Some(value_at(200)));
    // It can be taken; whoever takes the last is told of it.
    let sample = |arguments: &str| {
        let output = place.command(&format!("sample run --count 20 --out - {arguments}")).output().unwrap();
        assert!(output.status.success(), "{arguments}: {output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (last, note) = sample("");
    assert!(note.contains(&format!("that of step {step} was better")) && note.contains("--checkpoint best"), "{note}");
    assert_eq!(note.lines().count(), 1, "{note}");
    let (asked, silence) = sample("--checkpoint last");
    assert_eq!((asked, silence.as_str()), (last.clone(), ""));
    let (best, silence) = sample("--checkpoint best");
    assert!(best != last && silence.is_empty(), "{silence}");
    assert_eq!(sample(&format!("--checkpoint {step}")).0, best);
    assert_eq!(sample("--checkpoint 200").0, last);
    // The figures of a state tell its step.
    for (state, expected) in
        [("", 200), ("--checkpoint last", 200), ("--checkpoint best", step), ("--checkpoint 160", 160)]
    {
        assert_eq!(place.json(&format!("evaluate run {state} --samples 300 --json"))["step"], expected, "{state}");
    }
    assert_eq!(place.json("evaluate run/model.safetensors --samples 300 --json")["step"], 200);
    let at_120 = sample("--checkpoint 120").0;
    assert!(at_120 != last && at_120 != best);
    // What there is not is told with what there is.
    let known = ["has no checkpoint or model of step 7", "best, last", "120", "160", "200", &step.to_string()];
    place.fail("sample run --out x.csv --checkpoint 7", 2, &known);
    place.fail("evaluate run --checkpoint first", 2, &["best, last or a step"]);
    place.fail("evaluate run/model.safetensors --checkpoint best", 2, &["checkpoint", "is a file"]);
    // The other commands take it too.
    let measured = |which: &str| place.json(&format!("evaluate run --checkpoint {which} --json"))["metrics"].clone();
    assert_ne!(measured("best"), measured("last"));
    place.succeed("export run --checkpoint best --out best.safetensors");
    place.succeed("export run --out last.safetensors");
    assert_ne!(place.bytes("best.safetensors"), place.bytes("last.safetensors"));
    fs::remove_file(place.path("run/checkpoints/best.safetensors")).unwrap();
    place.fail(
        "export run --checkpoint best --out x.safetensors",
        2,
        &["has no best checkpoint", "last, and of steps 120"],
    );
    let note = sample("").1;
    assert!(
        note.contains("the last model, of step 200") && !note.contains("best"),
        "there is nothing else to take: {note}"
    );
}

#[test]
fn the_end_of_a_run_says_where_its_best_model_is() {
    let place = Place::new();
    for seed in 0..20 {
        let text = place.succeed(&format!(
            "train circle --steps 200 --points 300 --evaluate-every 20 --learning-rate 0.01 --seed {seed} --out run{seed}"
        ));
        let told: Value = serde_json::from_str(&place.read(&format!("run{seed}/run.json"))).unwrap();
        let is_told = text.contains("--checkpoint best");
        assert_eq!(is_told, told["best"]["step"] != told["best"]["last_step"], "{text}");
        if is_told {
            // The command is whole: it does what it says.
            let command = text.lines().find(|line| line.contains("--checkpoint best")).unwrap();
            let command = command.split_once("gannet ").unwrap().1;
            place.succeed(command);
            assert!(place.path("samples.npy").is_file(), "{command}");
            return;
        }
    }
    panic!("no seed has its best evaluation before its end");
}

#[test]
fn models_of_epochs_are_taken_by_their_step() {
    let place = Place::new();
    // 300 points and batches of 32: the epochs end with steps 10, 19, 29 and 38.
    place.succeed("train circle --epochs 4 --points 300 --save-epochs 1 --keep 1 --best none --quiet --out run");
    for (step, epoch) in [(10, 1), (19, 2), (29, 3), (38, 4)] {
        let of_step = place.succeed(&format!("sample run --count 5 --out - --checkpoint {step}"));
        let of_file = place.succeed(&format!("sample run/models/epoch-{epoch:03}.safetensors --count 5 --out -"));
        assert_eq!(of_step, of_file, "step {step}");
    }
    place.fail("sample run --count 5 --out - --checkpoint 20", 2, &["10; 19; 29; 38"]);
    // Damaged checkpoints of other steps are in nobody's way.
    let of_step = place.succeed("sample run --count 5 --out - --checkpoint 19");
    for name in ["best", "step-000000099"] {
        place.write(&format!("run/checkpoints/{name}.safetensors"), "damaged");
    }
    let outcome = place.run("sample run --count 5 --out - --checkpoint 19");
    assert!(outcome.code == Some(0) && outcome.stdout == of_step && outcome.stderr.is_empty(), "{outcome:?}");
    place.fail("sample run --count 5 --out - --checkpoint 20", 2, &["it has last, and of steps 10; 19; 29; 38"]);
    for name in ["best", "step-000000099"] {
        fs::remove_file(place.path(&format!("run/checkpoints/{name}.safetensors"))).unwrap();
    }
    // With another batch their steps are not known any more.
    place.succeed("train --resume run --epochs 5 --batch 50 --override --quiet");
    place.fail("sample run --count 5 --out - --checkpoint 19", 2, &["has no checkpoint or model of step 19"]);
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let place = Place::new();
    place.succeed("train circle --steps 5 --points 100 --quiet --out run");
    let model = place.bytes("run/model.safetensors");
    let header = 8 + u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
    for value in [f32::NAN, f32::INFINITY] {
        for at in [header, model.len() - 4] {
            let mut spoiled = model.clone();
            spoiled[at..at + 4].copy_from_slice(&value.to_le_bytes());
            place.write("run/model.safetensors", spoiled);
            for command in ["sample run --out x.csv", "export run --out x.safetensors", "evaluate run"] {
                place.fail(command, 1, &["run: ", "layer", "not finite", "--checkpoint"]);
            }
            place.fail("sample run/model.safetensors --out x.csv", 1, &["run/model.safetensors: ", "layer"]);
        }
    }
    // Finite weights whose products are not.
    let mut large = model.clone();
    for bytes in large[header..].as_chunks_mut::<4>().0 {
        *bytes = 3e38f32.to_le_bytes();
    }
    place.write("run/model.safetensors", large);
    for command in ["sample run --out x.csv", "sample run --out x.npy", "sample run --out x.png"] {
        place.fail(command, 1, &["generator"]);
    }
    assert!(!["x.csv", "x.npy", "x.png", "x.safetensors"].iter().any(|name| place.path(name).exists()));
}

/// The header of a safetensors file.
fn header(bytes: &[u8]) -> Value {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    serde_json::from_slice(&bytes[8..8 + length]).unwrap()
}

/// The parameters of an `nn.Sequential` with their shapes, as PyTorch names them: modules count, and dense layers have two.
fn parameters(sequential: &str) -> BTreeMap<String, Vec<u64>> {
    let modules = sequential.strip_prefix("nn.Sequential(").unwrap().strip_suffix(')').unwrap();
    let mut parameters = BTreeMap::new();
    for (index, module) in modules.split("nn.").skip(1).enumerate() {
        let Some(sizes) = module.strip_prefix("Linear(") else { continue };
        let sizes: Vec<u64> = sizes.split(')').next().unwrap().split(", ").map(|size| size.parse().unwrap()).collect();
        parameters.insert(format!("{index}.weight"), vec![sizes[1], sizes[0]]);
        parameters.insert(format!("{index}.bias"), vec![sizes[1]]);
    }
    parameters
}

#[test]
fn exported_names_and_shapes_are_those_of_the_printed_sequential() {
    let place = Place::new();
    for preset in ["circle", "mixture1d", "mixture1d-deep", "gaussian2d", "digits"] {
        place.succeed(&format!("train {preset} --steps 2 --quiet --out {preset}"));
        for network in ["generator", "discriminator"] {
            let line = place.succeed(&format!("export {preset} --network {network} --out x.safetensors --force"));
            let printed = line.trim_end().strip_prefix(&format!("{network} = ")).unwrap();
            let file = header(&place.bytes("x.safetensors"));
            let found: BTreeMap<String, Vec<u64>> = file
                .as_object()
                .unwrap()
                .iter()
                .filter(|(name, _)| *name != "__metadata__")
                .map(|(name, tensor)| (name.clone(), serde_json::from_value(tensor["shape"].clone()).unwrap()))
                .collect();
            assert_eq!(found, parameters(printed), "{preset} {network}: {printed}");
        }
    }
}

#[test]
fn the_units_of_an_exported_generator_are_those_of_its_outputs() {
    let place = Place::new();
    let rows: String = (0..40).map(|row| format!("{row}.5,7.5,{},-2\n", row * row)).collect();
    place.write("table.csv", format!("a,constant,b,\"other, constant\"\n{rows}"));
    place.succeed("train table.csv --numbers standard --steps 5 --quiet --out run");
    place.succeed("export run --network generator --out g.safetensors");
    let file = header(&place.bytes("g.safetensors"));
    let metadata =
        |name: &str| -> Value { serde_json::from_str(file["__metadata__"][name].as_str().unwrap()).unwrap() };
    let outputs = file.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("bias"));
    let outputs = outputs.max_by_key(|(name, _)| name[..1].parse::<u64>().unwrap()).unwrap().1["shape"][0].as_u64();
    assert_eq!(outputs, Some(2));
    assert_eq!(metadata("columns"), serde_json::json!(["a", "b"]));
    for name in ["offset", "scale"] {
        assert_eq!(metadata(name).as_array().unwrap().len(), 2, "{name}");
    }
    assert_eq!(metadata("offset")[0], 20.0);
    assert_eq!(
        metadata("constants"),
        serde_json::json!([
            { "column": 1, "name": "constant", "value": 7.5 },
            { "column": 3, "name": "other, constant", "value": -2.0 },
        ])
    );
    // D's inputs are no outputs.
    place.succeed("export run --network discriminator --out d.safetensors");
    assert_eq!(header(&place.bytes("d.safetensors")).get("__metadata__"), None);
}

/// What a command says beside its result.
fn note(place: &Place, line: &str) -> String {
    let output = place.command(line).output().unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A learning rate of next to nothing: no evaluation is better than the first.
const STILL: &str = "--points 200 --batch 16 --learning-rate 1e-12 --evaluate-every 20 --report-every 20";

#[test]
fn a_run_ends_when_its_patience_does() {
    let place = Place::new();
    let told = |run: &str| -> Value { serde_json::from_str(&place.read(&format!("{run}/run.json"))).unwrap() };
    place.succeed(&format!("train circle --steps 400 --patience 3 {STILL} --out run"));
    let end = told("run");
    assert_eq!((end["status"].as_str(), end["steps"].as_u64()), (Some("finished"), Some(60)), "{end}");
    assert_eq!(end["planned_steps"].as_u64(), Some(400));
    let early = &end["early_stop"];
    assert_eq!((early["best_step"].as_u64(), early["evaluations"].as_u64()), (Some(0), Some(3)), "{early}");
    assert_eq!(early["measure"], "sliced_wasserstein");
    assert!(place.read("run/report.html").contains("stopped early: no better sliced_wasserstein"));
    // The same step after a stop, and bit for bit the same model, on one thread and on two.
    place.succeed(&format!("train circle --steps 30 {STILL} --patience 3 --out parts --threads 1"));
    place.succeed("train --resume parts --steps 400 --threads 2");
    assert_eq!(told("parts")["steps"].as_u64(), Some(60));
    assert_eq!(place.bytes("parts/model.safetensors"), place.bytes("run/model.safetensors"));
    // It stays where it ended, and says how it goes on.
    for more in ["", "--steps 500", "--patience 2"] {
        let said = note(&place, &format!("train --resume run {more}"));
        assert!(said.contains("stopped early") && said.contains("step 60") && said.contains("--patience 0"), "{said}");
    }
    assert_eq!(told("run"), end);
    place.succeed("train --resume run --patience 5");
    assert_eq!(
        (told("run")["steps"].as_u64(), told("run")["early_stop"]["evaluations"].as_u64()),
        (Some(100), Some(5))
    );
    place.succeed("train --resume run --patience 0 --steps 120");
    assert_eq!((told("run")["steps"].as_u64(), &told("run")["early_stop"]), (Some(120), &Value::Null));
    // Each replica ends for itself.
    place.succeed(&format!("train circle --steps 200 --replicas 2 --patience 1 {STILL} --out replicas"));
    for replica in ["replicas/replica-000", "replicas/replica-001"] {
        assert_eq!(told(replica)["steps"].as_u64(), Some(20), "{replica}");
    }
    let ends = || place.bytes("replicas/replica-000/run.json");
    let before = ends();
    let said = place.run("train --resume replicas").stderr;
    assert!(said.contains("2 of its replicas early") && said.contains("--patience 0") && ends() == before, "{said}");
    place.fail("train circle --patience 3 --best none", 2, &["patience", "no measure", "best"]);
}

#[test]
fn commands_take_the_best_model_where_it_was_asked_for() {
    let place = Place::new();
    let train = |options: &str| place.succeed(&format!("train circle --steps 40 {STILL} {options}"));
    let sampled = |run: &str| note(&place, &format!("sample {run} --count 20 --out {run}.csv --force"));
    train("--out plain");
    train("--best sliced_wasserstein --out best");
    train("--patience 9 --out patient");
    assert!(sampled("plain").contains("the last model, of step 40"));
    for run in ["best", "patient"] {
        let said = sampled(run);
        assert!(
            said.contains("the best model by sliced_wasserstein, of step 0") && said.contains("--checkpoint last"),
            "{said}"
        );
        assert_eq!(place.json(&format!("evaluate {run} --samples 300 --json"))["step"], 0);
        assert_eq!(place.json(&format!("evaluate {run} --samples 300 --json --checkpoint last"))["step"], 40);
    }
    assert_eq!(place.json("evaluate plain --samples 300 --json")["step"], 40);
    // The settings of a run are those of another: what was not asked for is not asked for by repeating it.
    place.succeed("train plain/config.toml --out again");
    assert!(sampled("again").contains("the last model"));
    place.succeed("train best/config.toml --out best-again");
    assert!(sampled("best-again").contains("the best model"));
    // A run of before there was patience named its measure in any case.
    let settings = place.read("best/config.toml");
    let older: String =
        settings.lines().filter(|line| !line.starts_with("patience")).map(|line| format!("{line}\n")).collect();
    place.write("best/config.toml", older);
    assert!(sampled("best").contains("this is the"), "it says which it takes");
    assert_eq!(place.json("evaluate best --samples 300 --json")["step"], 40);
}
