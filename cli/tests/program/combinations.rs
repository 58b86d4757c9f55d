//! Every value that the help lists works with every preset.

use crate::place::Place;

const OBJECTIVES: [&str; 9] = [
    "minimax",
    "non_saturating",
    "non_saturating_half",
    "softmax",
    "least_squares",
    "hinge",
    "wasserstein",
    "relativistic_pairing",
    "relativistic_average",
];
const ORDERS: [&str; 3] = ["discriminator_first", "discriminator_first_shared_fake", "generator_first_shared_fake"];

/// The choices that the help of `train` lists for an option.
fn listed(place: &Place, option: &str) -> Vec<String> {
    let help = place.succeed("train --help").split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, rest) = help.split_once(&format!("--{option} <")).unwrap();
    let (_, rest) = rest.split_once("[possible values: ").unwrap();
    rest.split_once(']').unwrap().0.split(", ").map(str::to_string).collect()
}

#[test]
fn every_preset_trains_with_every_objective_and_order() {
    let place = Place::new();
    assert_eq!(listed(&place, "objective"), OBJECTIVES);
    assert_eq!(listed(&place, "order"), ORDERS);
    place.write_mnist("mnist", 28);
    for preset in ["circle", "mixture1d", "mixture1d-deep", "gaussian2d", "mnist", "digits"] {
        let data = if preset == "mnist" { "--data mnist" } else { "" };
        let usual = if preset == "gaussian2d" { 2 } else { 1 };
        for (number, objective) in OBJECTIVES.into_iter().enumerate() {
            // Each of the first four in every order; the library's tests have all in all.
            let orders = if number < 4 { ORDERS.as_slice() } else { &ORDERS[..1] };
            for order in orders {
                let run = format!("{preset}-{objective}-{order}");
                let bound = if objective == "wasserstein" { "--gradient-penalty 10" } else { "" };
                let settings =
                    format!("--objective {objective} {bound} --order {order} --batch 4 --steps 3 --no-tensorboard");
                let outcome = place.run(&format!("train {preset} {data} {settings} --out {run}"));
                assert_eq!(outcome.code, Some(0), "{run}: {outcome:?}");
                let outputs = if objective == "softmax" { 2 } else { 1 };
                let told = outcome.stderr.contains(&format!("D's last layer has {outputs} outputs instead of {usual}"));
                assert_eq!(told, outputs != usual, "{run}: {}", outcome.stderr);
                let config = place.read(&format!("{run}/config.toml")).parse::<toml::Table>().unwrap();
                let last = config["gan"]["discriminator"]["layers"].as_array().unwrap().last().unwrap();
                assert_eq!(last["outputs"].as_integer(), Some(outputs), "{run}");
                assert_eq!(last["activation"]["kind"].as_str(), Some("linear"), "{run}");
            }
        }
    }
}

#[test]
fn a_file_that_leaves_the_layers_to_the_preset_may_name_any_objective() {
    let place = Place::new();
    place.write("my.toml", "[run]\npreset = 'circle'\n[gan]\nobjective = 'softmax'");
    let plan = place.succeed("train my.toml --plan");
    assert!(plan.contains("D 2-128-64-32-2") && plan.contains("as the objective softmax needs"), "{plan}");
    // A run's own settings name the layers; the option asks for others.
    place.succeed("train circle --steps 2 --quiet --out run");
    let plan = place.succeed("train run --objective softmax --plan");
    assert!(plan.contains("D 2-128-64-32-2"), "{plan}");
    // Layers of one's own stay as they are.
    let own = "layers = [{ inputs = 2, outputs = 1, activation = { kind = 'linear' } }]";
    place.write(
        "own.toml",
        format!("[run]\npreset = 'circle'\n[gan]\nobjective = 'softmax'\n[gan.discriminator]\n{own}"),
    );
    place.fail("train own.toml --plan", 2, &["line 6", "1 instead of the 2 that the objective needs"]);
}
