//! What a configuration file may leave out, and what its own comments suggest.

use serde_json::{Value, json};

use crate::place::Place;

/// The values that a comment suggests: what stands in quotation marks or in braces, and the names of the `known` choices in it.
fn suggested(comment: &str, known: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = comment;
    while let Some(start) = rest.find(['"', '{']) {
        let end = if rest[start..].starts_with('"') {
            rest[start + 1..].find('"').map(|end| end + 1)
        } else {
            rest[start..].find('}')
        };
        let end = start + end.unwrap();
        found.push(rest[start..=end].to_string());
        rest = &rest[end + 1..];
    }
    let words = comment.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    found.extend(words.filter(|word| known.iter().any(|name| name == word)).map(|word| format!("\"{word}\"")));
    found
}

#[test]
fn every_value_that_a_comment_suggests_is_accepted() {
    let place = Place::new();
    let schema: Value = serde_json::from_str(&place.succeed("config --schema")).unwrap();
    place.write("data.csv", "a,b,c\n1,2,3\n2,3,5\n4,4,4\n");
    for preset in ["circle", "digits", "mixture1d", "data.csv"] {
        let template = place.succeed(&format!("config {preset}"));
        let (mut table, mut comment, mut tried) = (String::new(), String::new(), 0);
        for line in template.lines() {
            if let Some(text) = line.strip_prefix("# ") {
                comment += &format!(" {text}");
                continue;
            }
            let setting = line.trim_start_matches('#');
            if let Some((name, _)) = setting.split_once(" = ").filter(|_| !setting.starts_with(' ')) {
                let choices = &schema["properties"][&table]["properties"][name]["enum"];
                let known: Vec<String> = choices.as_array().map_or(vec![], |names| {
                    names.iter().filter_map(|name| name.as_str().map(str::to_string)).collect()
                });
                // A single layer is the last one, whose activation is not free.
                let is_single = || {
                    template.split_once(&format!("[{table}]")).is_some_and(|(_, tail)| {
                        tail.split("\n]").next().is_some_and(|layers| layers.matches("activation = ").count() < 2)
                    })
                };
                if name == "layers" && is_single() {
                    comment.clear();
                    continue;
                }
                for value in suggested(&comment, &known) {
                    let text = if name == "layers" {
                        // The activation of the first layer of this network.
                        let at = template.find(&format!("[{table}]")).unwrap();
                        let at = at + template[at..].find("activation = ").unwrap() + "activation = ".len();
                        let end = at + template[at..].find('}').unwrap() + 1;
                        format!("{}{value}{}", &template[..at], &template[end..])
                    } else if name == "preset" {
                        format!("[run]\npreset = {value}\n[data]\nfile = 'data.csv'")
                            .replace(if value == "\"own\"" { "\0" } else { "[data]\nfile = 'data.csv'" }, "")
                    } else {
                        let section = format!("[{table}]");
                        let (head, tail) = template.split_once(&section).unwrap();
                        format!(
                            "{head}{section}{}",
                            tail.replacen(&format!("\n{line}\n"), &format!("\n{name} = {value}\n"), 1)
                        )
                    };
                    // As the comment says.
                    let text = match text.split_once("[gan.discriminator]") {
                        Some((head, tail)) if value == "\"softmax\"" => {
                            format!("{head}[gan.discriminator]{}", tail.replace("outputs = 1,", "outputs = 2,"))
                        }
                        _ if value == "\"wasserstein\"" => {
                            text.replace("\ngradient_penalty = 0.0\n", "\ngradient_penalty = 10.0\n")
                        }
                        _ => text,
                    };
                    place.write("my.toml", &text);
                    let outcome = place.run("config my.toml");
                    assert_eq!(outcome.code, Some(0), "{preset}: {name} = {value}: {outcome:?}");
                    tried += 1;
                }
            } else if line.starts_with('[') {
                table = line.trim_matches(['[', ']']).to_string();
            }
            comment.clear();
        }
        assert!(tried >= 20, "{preset}: {tried}");
    }
}

/// The settings that `text` comes to.
fn resolved(place: &Place, text: &str) -> Value {
    place.write("short.toml", text);
    serde_json::to_value(place.succeed("config short.toml").parse::<toml::Table>().unwrap()).unwrap()
}

#[test]
fn an_activation_or_a_kind_that_is_left_out_is_the_presets() {
    let place = Place::new();
    place.write("data.csv", "a,b\n1,2\n2,5\n4,4\n");
    let kinds = |network: &Value| -> Vec<String> {
        let layers = network["layers"].as_array().unwrap();
        layers.iter().map(|layer| layer["activation"]["kind"].as_str().unwrap().to_string()).collect()
    };
    // Hidden layers as the preset's hidden ones, the last layer as its last; leaky_relu where it has no hidden layer.
    for (head, sizes, expected) in [
        ("[run]\npreset = 'circle'", [2, 9, 9, 2], ["relu", "relu", "linear"]),
        ("[run]\npreset = 'digits'", [5, 9, 9, 64], ["leaky_relu", "leaky_relu", "tanh"]),
        ("[run]\npreset = 'gaussian2d'", [2, 9, 9, 2], ["leaky_relu", "leaky_relu", "linear"]),
        ("[data]\nfile = 'data.csv'", [7, 9, 9, 2], ["relu", "relu", "linear"]),
    ] {
        for activation in ["", ", activation = {}"] {
            let layers: Vec<String> = sizes
                .windows(2)
                .map(|pair| format!("{{ inputs = {}, outputs = {}{activation} }}", pair[0], pair[1]))
                .collect();
            let found = resolved(&place, &format!("{head}\n[gan.generator]\nlayers = [{}]", layers.join(", ")));
            assert_eq!(kinds(&found["gan"]["generator"]), expected, "{head}");
        }
    }
    let circle = |rest: &str| resolved(&place, &format!("[run]\npreset = 'circle'\n{rest}"));
    // A table without a kind: the preset's, or the kind that alone has its settings.
    let close = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-6;
    for (table, kind, setting, value) in [
        ("{}", "adam", "learning_rate", 0.001),
        ("{ learning_rate = 0.5 }", "adam", "learning_rate", 0.5),
        ("{ beta1 = 0.5 }", "adam", "beta1", 0.5),
        ("'adam'", "adam", "beta1", 0.9),
        ("{ learning_rate = 0.5, momentum = 0.25 }", "sgd", "momentum", 0.25),
        ("{ learning_rate = 0.5, weight_decay = 0.25, beta1 = 0.5 }", "adamw", "weight_decay", 0.25),
        ("{ learning_rate = 0.5, epsilon = 0.5, alpha = 0.25 }", "rmsprop", "alpha", 0.25),
    ] {
        let found = &circle(&format!("[gan]\ngenerator_optimizer = {table}"))["gan"]["generator_optimizer"];
        assert!(found["kind"] == kind && close(&found[setting], value), "{table}: {found}");
    }
    let found = resolved(&place, "[run]\npreset = 'mixture1d'\n[gan]\ngenerator_optimizer = { learning_rate = 0.5 }");
    assert_eq!(found["gan"]["generator_optimizer"]["kind"], "sgd");
    for (table, kind) in [("{}", "pytorch"), ("'he'", "he"), ("'normal'", "normal"), ("{ sigma = 0.5 }", "normal")] {
        let found = circle(&format!("[gan.generator]\ninitialization = {table}"));
        assert_eq!(found["gan"]["generator"]["initialization"]["kind"], kind, "{table}");
    }
    let layers = "layers = [{ inputs = 2, outputs = 3, activation = { slope = 0.5 } }, { inputs = 3, outputs = 2, activation = 'tanh' }]";
    let found = circle(&format!("[gan.generator]\n{layers}"));
    assert_eq!(found["gan"]["generator"]["layers"][0]["activation"], json!({ "kind": "leaky_relu", "slope": 0.5 }));
    assert_eq!(found["gan"]["generator"]["layers"][1]["activation"], json!({ "kind": "tanh" }));
}

#[test]
fn what_is_of_no_known_kind_is_refused_with_its_line() {
    let place = Place::new();
    for (text, parts) in [
        (
            "[gan]\ngenerator_optimizer = 'sgd'",
            ["line 4, gan.generator_optimizer: learning_rate is missing", "add learning_rate"],
        ),
        (
            "[gan]\ngenerator_optimizer = 'adm'",
            ["line 4, gan.generator_optimizer: unknown variant `adm`", "did you mean `adam`?"],
        ),
        ("[gan]\ngenerator_optimizer = { beta1 = 0.5, momentum = 0.5 }", ["line 4", "`momentum`"]),
        ("[gan]\ngenerator_optimizer = 3", ["line 4", "the name of the kind"]),
        ("[gan.generator]\ninitialization = 'hee'", ["line 4, gan.generator.initialization", "did you mean `he`?"]),
        ("[gan.generator]\ninitialization = { sigm = 3 }", ["line 4: unknown field `sigm`", "did you mean `sigma`?"]),
        (
            "[gan.generator]\nlayers = [\n{ inputs = 2, outputs = 2, activation = 'rely' } ]",
            ["line 5, gan.generator.layers[0].activation", "did you mean `relu`?"],
        ),
        ("[gan.generator]\nlayers = [\n{ inputs = 2, activation = 'relu' } ]", ["line 5", "missing field `outputs`"]),
    ] {
        place.write("wrong.toml", format!("[run]\npreset = 'circle'\n{text}"));
        place.fail("train wrong.toml --plan", 2, &parts);
    }
}

/// A preset was called a system: files, options and results of then are still read, and what is written has the new name.
#[test]
fn a_system_of_older_files_is_a_preset() {
    let place = Place::new();
    place.write("old.toml", "[run]\nsystem = 'circle'\nsteps = 4");
    place.succeed("train old.toml --quiet --out run");
    let written = place.read("run/config.toml");
    assert!(written.contains("\npreset = \"circle\"\n") && !written.contains("system ="), "{written}");
    place.write("run/config.toml", written.replace("preset =", "system ="));
    let result = place.read("run/run.json");
    place.write("run/run.json", result.replace("\"preset\"", "\"system\""));
    let runs = &place.json("runs . --json")[0];
    assert_eq!((&runs["preset"], &runs["status"]), (&"circle".into(), &"finished".into()), "{runs}");
    place.succeed("train --resume run --steps 6 --quiet");
    let runs = &place.json("runs . --json")[0];
    assert_eq!(
        (&runs["preset"], &runs["settings"]),
        (&"circle".into(), &serde_json::json!({ "steps": "6" })),
        "{runs}"
    );
    place.write("wrong.toml", "[run]\nseed = 1\nsystem = 'circel'");
    place.fail("train wrong.toml", 2, &["line 3, run.preset", "did you mean `circle`?"]);
    place.succeed("bench --system circle --steps 1 --engine native");
}
