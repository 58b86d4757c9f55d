//! `gannet config` from outside: templates that train, and a schema that accepts what the program accepts.

use serde_json::{Value, json};

use crate::place::Place;

const PRESETS: [&str; 6] = ["circle", "mixture1d", "mixture1d-deep", "gaussian2d", "mnist", "digits"];

/// Why `value` does not fit `node`; nothing where it does. What the schema uses of JSON Schema 2020-12, and no more: another
/// keyword is a failure.
fn problems(root: &Value, node: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let fits = |node: &Value| problems(root, node, value).is_empty();
    let number = |keyword: &Value| keyword.as_f64().unwrap();
    for (keyword, rule) in node.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                found.extend(problems(root, &root["$defs"][name], value));
                true
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => panic!("type {other}"),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "minimum" => value.as_f64().is_none_or(|value| value >= number(rule)),
            "maximum" => value.as_f64().is_none_or(|value| value <= number(rule)),
            "exclusiveMinimum" => value.as_f64().is_none_or(|value| value > number(rule)),
            "exclusiveMaximum" => value.as_f64().is_none_or(|value| value < number(rule)),
            "minItems" => value.as_array().is_none_or(|items| items.len() as f64 >= number(rule)),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as f64 <= number(rule)),
            // The only pattern is that of bytes with a unit.
            "pattern" => value
                .as_str()
                .is_none_or(|text| text.trim_start_matches('0').starts_with(|first: char| first.is_ascii_digit())),
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap()))
            }),
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        let inside = problems(root, schema, value);
                        found.extend(inside.into_iter().map(|problem| format!("{name}: {problem}")));
                    }
                }
                true
            }
            // Names of the user's, whose values are all of one kind.
            "additionalProperties" if rule != &json!(false) => {
                for item in value.as_object().into_iter().flat_map(|object| object.values()) {
                    found.extend(problems(root, rule, item));
                }
                true
            }
            "additionalProperties" => {
                let known = node["properties"].as_object().unwrap();
                value.as_object().is_none_or(|object| object.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    found.extend(problems(root, rule, item));
                }
                true
            }
            "oneOf" => rule.as_array().unwrap().iter().filter(|node| fits(node)).count() == 1,
            "anyOf" => rule.as_array().unwrap().iter().any(fits),
            "not" => !fits(rule),
            other => panic!("the keyword {other}"),
        };
        if !holds {
            found.push(format!("{keyword}: {value} does not fit {rule}"));
        }
    }
    found
}

fn schema() -> Value {
    serde_json::from_str(&Place::new().succeed("config --schema")).unwrap()
}

fn as_json(toml: &str) -> Value {
    serde_json::to_value(toml.parse::<toml::Table>().unwrap()).unwrap()
}

#[test]
fn a_template_trains_as_its_preset_does() {
    let place = Place::new();
    for preset in ["circle", "gaussian2d", "digits", "mixture1d-deep"] {
        place.write("my.toml", place.succeed(&format!("config {preset}")));
        place.succeed(&format!("train my.toml --steps 3 --quiet --out {preset}-template"));
        place.succeed(&format!("train {preset} --steps 3 --quiet --out {preset}"));
        for file in ["config.toml", "model.safetensors", "evaluation.csv"] {
            let (template, plain) = (format!("{preset}-template/{file}"), format!("{preset}/{file}"));
            assert_eq!(place.bytes(&template), place.bytes(&plain), "{preset}: {file}");
        }
    }
    // Of a run: its settings.
    place.succeed("train circle --steps 3 --seed 5 --quiet --out run");
    let printed = place.succeed("config run");
    assert!(printed.contains("\nseed = 5\n") && printed.contains("\nsteps = 3\n"), "{printed}");
    assert_eq!(printed, place.succeed("config run/config.toml"));
}

#[test]
fn a_template_for_own_data_waits_for_the_file_or_knows_it() {
    let place = Place::new();
    place.write("my.toml", place.succeed("config own"));
    place.fail("train my.toml", 1, &["my.toml", "data.csv"]);
    place.write("data.csv", "a,b,c\n1,2,3\n2,3,5\n4,4,4\n");
    place.succeed("train my.toml --steps 2 --quiet --out template");
    place.succeed("train data.csv --steps 2 --quiet --out plain");
    assert_eq!(place.bytes("template/config.toml"), place.bytes("plain/config.toml"));
    place.write("known.toml", place.succeed("config data.csv"));
    assert!(place.read("known.toml").contains("columns = [\"a\", \"b\", \"c\"]"));
    place.succeed("train known.toml --steps 2 --quiet --out known");
    assert_eq!(place.bytes("known/config.toml"), place.bytes("plain/config.toml"));
    assert_eq!(place.succeed("config own --data data.csv"), place.read("known.toml"));
    // Another file from the command line.
    place.write("other.csv", "1\n2\n4\n");
    place.succeed("train my.toml --data other.csv --steps 2 --quiet --out other");
    assert!(place.read("other/config.toml").contains("other.csv"));
}

#[test]
fn every_line_that_is_offered_can_be_uncommented() {
    let place = Place::new();
    let schema = schema();
    for preset in PRESETS {
        let template = place.succeed(&format!("config {preset}"));
        // Settings that are not set stand behind a `#` without a space.
        let offered: Vec<&str> =
            template.lines().filter(|line| line.starts_with('#') && !line.starts_with("# ")).collect();
        assert!(offered.len() >= 5, "{template}");
        for line in offered {
            let name = line[1..].split(' ').next().unwrap();
            let mut text = template.replace(line, &line[1..]);
            if name == "steps" || name == "epochs" {
                let other = if name == "steps" { "\nepochs =" } else { "\nsteps =" };
                text = text.replace(other, "\n#other =");
            }
            assert_eq!(problems(&schema, &schema, &as_json(&text)), [""; 0], "{preset}: {line}");
            if preset == "circle" && name != "weights" {
                place.write("my.toml", &text);
                let arguments = if name == "isa" { "--isa portable" } else { "" };
                place.succeed(&format!("train my.toml --plan {arguments}"));
            }
        }
    }
}

#[test]
fn the_schema_accepts_what_runs_and_refuses_what_does_not() {
    let place = Place::new();
    let schema = schema();
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json")).unwrap();
    assert_eq!(schema, serde_json::from_str::<Value>(&written).unwrap());
    for preset in PRESETS {
        let template = as_json(&place.succeed(&format!("config {preset}")));
        assert_eq!(problems(&schema, &schema, &template), [""; 0], "{preset}");
    }
    assert_eq!(problems(&schema, &schema, &as_json(&place.succeed("config own"))), [""; 0]);
    place.write("data.csv", "a,b\n1,2\n2,2\n");
    place.succeed("train data.csv --steps 1 --quiet --out run");
    assert_eq!(problems(&schema, &schema, &as_json(&place.read("run/config.toml"))), [""; 0]);
    let layer = |layer: &str| format!("[run]\npreset = 'circle'\n[gan.generator]\nlayers = [{layer}]");
    let linear = "activation = { kind = 'linear' }";
    let optimizer =
        |optimizer: &str| format!("[run]\npreset = 'circle'\n[gan]\ngenerator_optimizer = {{ {optimizer} }}");
    for text in [
        "[run]".to_string(),
        "[run]\nbatch = 3".to_string(),
        "[run]\npreset = 'circel'".to_string(),
        "[run]\npreset = 'circle'\nbacth = 3".to_string(),
        "[run]\npreset = 'circle'\nbatch = 0".to_string(),
        "[run]\npreset = 'circle'\nbatch = 'many'".to_string(),
        "[run]\npreset = 'circle'\nbatch = 1.5".to_string(),
        "[run]\npreset = 'circle'\nepochs = 3\nsteps = 3".to_string(),
        "[run]\npreset = 'circle'\nthreads = -1".to_string(),
        "[run]\npreset = 'circle'\nseed = -1".to_string(),
        "[run]\npreset = 'circle'\nmemory_limit = 'lots'".to_string(),
        "[run]\npreset = 'circle'\nmemory_limit = 0".to_string(),
        "[run]\npreset = 'circle'\nmemory_limit = '0'".to_string(),
        "[run]\npreset = 'circle'\nmemory_limit = '00 MiB'".to_string(),
        "[run]\npreset = 'circle'\nshards = 0".to_string(),
        "[run]\npreset = 'circle'\nshards = 3".to_string(),
        "[run]\npreset = 'circle'\nbatch = 4096\nshards = 2048".to_string(),
        "[run]\npreset = 'circle'\nweights = 'a.safetensors'".to_string(),
        "[run]\npreset = 'circle'\n[data]\npoints = 0".to_string(),
        "[data]\nfile = 'data.csv'\nscale = [-1.0, 1.0]\noffset = [0.0, 0.0]".to_string(),
        "[data]\nfile = 'data.csv'\nimage = [3]".to_string(),
        "[data]\nfile = 'data.csv'\nimage = [3, 0]".to_string(),
        "[run]\npreset = 'circle'\n[gan]\nobjective = 'minmax'".to_string(),
        "[run]\npreset = 'circle'\n[gan]\ndiscriminator_steps = 0".to_string(),
        "[run]\npreset = 'circle'\n[gan]\ndiscriminator_steps = 2000000".to_string(),
        optimizer("kind = 'sgd', learning_rate = 0.0, momentum = 0.0"),
        optimizer("kind = 'sgd', learning_rate = 0.1, momentum = 1.0"),
        optimizer("kind = 'sgd', learning_rate = 0.1, momentum = 0.0, beta1 = 0.9"),
        optimizer("kind = 'adam', learning_rate = 0.1, beta1 = -0.1, beta2 = 0.9, epsilon = 1e-8"),
        optimizer("kind = 'adam', learning_rate = 0.1, beta1 = 0.1, beta2 = 1.0, epsilon = 1e-8"),
        optimizer("kind = 'adam', learning_rate = 0.1, beta1 = 0.1, beta2 = 0.9, epsilon = 0.0"),
        optimizer("kind = 'adamw', learning_rate = 0.1, weight_decay = -0.1"),
        optimizer("kind = 'adamw', learning_rate = 0.1, alpha = 0.9"),
        optimizer("kind = 'rmsprop', learning_rate = 0.1, alpha = 1.0"),
        optimizer("kind = 'rmsprop', learning_rate = 0.1, momentum = 0.5"),
        optimizer("learning_rate = 0.1, alpha = 0.5, weight_decay = 0.5"),
        optimizer("kind = 'lion', learning_rate = 0.1"),
        layer(""),
        layer(&format!("{{ inputs = 0, outputs = 2, {linear} }}")),
        layer(&format!("{{ inputs = 2, outputs = 16777217, {linear} }}")),
        layer(&format!("{{ inputs = 2, {linear} }}")),
        layer("{ outputs = 2 }"),
        layer(&format!("{{ inputs = 2, outputs = 2, {linear}, dropout = 1.0 }}")),
        layer("{ inputs = 2, outputs = 2, activation = { kind = 'relu', slope = 0.1 } }"),
        layer("{ inputs = 2, outputs = 2, activation = { kind = 'leaky_relu', slope = 0.0 } }"),
        layer("{ inputs = 2, outputs = 2, activation = { kind = 'swish' } }"),
        layer(&format!("{{ inputs = 2, outputs = 2, {linear}, normalization = 'group' }}")),
        layer(&format!("{{ inputs = 2, outputs = 2, {linear} }}")) + "\ninitialization = { kind = 'he', sigma = 1.0 }",
        layer(&format!("{{ inputs = 2, outputs = 2, {linear} }}"))
            + "\ninitialization = { kind = 'normal', sigma = -1.0 }",
        layer(&format!("{{ inputs = 2, outputs = 2, {linear} }}")) + "\ninitialisation = { kind = 'he' }",
    ] {
        assert_ne!(problems(&schema, &schema, &as_json(&text)), [""; 0], "the schema accepts {text}");
        place.write("wrong.toml", &text);
        let outcome = place.run("train wrong.toml --plan");
        assert_eq!(outcome.code, Some(2), "{text}: {outcome:?}");
        assert!(outcome.stderr.starts_with("error: ") && outcome.stderr.lines().count() == 1, "{outcome:?}");
    }
    // The largest and smallest that both accept.
    for text in [
        layer(&format!("{{ inputs = 1, outputs = 2, {linear}, dropout = 0.0 }}")),
        layer(
            "{ inputs = 2, outputs = 9, normalization = 'layer' }, { inputs = 9, outputs = 2, normalization = 'none' }",
        ),
        optimizer("kind = 'adam', learning_rate = 1e-9, beta1 = 0.0, beta2 = 0.0, epsilon = 1.2e-38"),
        optimizer("kind = 'adamw', learning_rate = 0.5, weight_decay = 2.0"),
        optimizer("kind = 'rmsprop', learning_rate = 0.1, alpha = 0.0"),
        "[run]\npreset = 'circle'\nmemory_limit = '2GiB'\nbatch = 1\nthreads = 0".to_string(),
        "[run]\npreset = 'circle'\nmemory_limit = '02GiB'\nbatch = 1024\nshards = 1024".to_string(),
    ] {
        assert_eq!(problems(&schema, &schema, &as_json(&text)), [""; 0], "{text}");
        place.write("right.toml", &text);
        place.succeed("train right.toml --plan");
    }
}

/// A run with normalized layers goes on from its own `config.toml`, samples, is evaluated and exported; where a normalization makes no
/// sense, the layer is named.
#[test]
fn normalized_layers_come_back() {
    let place = Place::new();
    let discriminator = |layers: &str| {
        format!("[run]\npreset = 'circle'\nsteps = 20\n[gan]\nr1 = 0.1\n[gan.discriminator]\nlayers = [{layers}]\n")
    };
    let normalized = "{ inputs = 2, outputs = 8, normalization = 'layer' }, { inputs = 8, outputs = 1 }";
    place.write("normalized.toml", discriminator(normalized));
    place.succeed("train normalized.toml --quiet --out run");
    assert!(place.read("run/config.toml").contains("normalization = \"layer\""), "{}", place.read("run/config.toml"));
    place.succeed("train --resume run --steps 30 --quiet");
    place.succeed("train run/config.toml --steps 30 --quiet --out again");
    assert_eq!(place.bytes("run/model.safetensors"), place.bytes("again/model.safetensors"));
    place.succeed("evaluate run");
    place.succeed("sample run --count 5 --out samples.csv");
    let told = place.succeed("export run --network discriminator --out d.safetensors");
    assert!(told.contains("nn.LayerNorm(8)"), "{told}");
    assert!(place.read("run/report.html").contains("layer normalization"));
    for (layers, part) in [
        (
            "{ inputs = 2, outputs = 8 }, { inputs = 8, outputs = 1, normalization = 'layer' }",
            "layers[1].normalization: the last layer of a network",
        ),
        (
            "{ inputs = 2, outputs = 1, normalization = 'layer' }, { inputs = 1, outputs = 1 }",
            "layers[0].normalization: a layer of one output",
        ),
    ] {
        place.write("wrong.toml", discriminator(layers));
        let outcome = place.run("train wrong.toml --plan");
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
}

#[test]
fn wrong_settings_are_named_with_file_and_line() {
    let place = Place::new();
    for (text, parts) in [
        ("[run]\npreset = 'circle'\nbatch = 0", ["line 3, run.batch", "from 1 up"]),
        ("[run]\npreset = 'cirlce'", ["line 2, run.preset", "did you mean `circle`?"]),
        (
            "[run]\npreset = 'circle'\n[gan]\nobjectiv = 'minimax'",
            ["line 4: unknown field `objectiv` in `gan`", "`objective`"],
        ),
        ("[data]\n[run]\npreset = 'circle'\n[data.x]", ["line 4: unknown field `x` in `data`", "points"]),
        (
            "[run]\npreset = 'circle'\n[gan.generator]\nlayers = [\n{ inputs = 2, outputs = 2, activation = { kind = 'tanh' } },\n\
             { inputs = 3, outputs = 2, activation = { kind = 'tanh' } } ]",
            ["line 6, gan.generator.layers[1].inputs: 3", "2 outputs"],
        ),
        (
            "[run]\npreset = 'circle'\n[gan.generator]\nlayers = [\n{ inputs = 2, outputs = 2, activation = { kind = 'tanh' },\n\
             dropout = 0.5 } ]",
            ["line 6, gan.generator.layers[0].dropout", "must be 0"],
        ),
        (
            "[run]\npreset = 'circle'\n[gan.generator]\nlayers = [\n\
             { inputs = 2, outputs = 2, activation = { kind = 'leaky_relu', slope = -1.0 } } ]",
            ["line 5, gan.generator.layers[0].slope: -1", "positive"],
        ),
        (
            "[run]\npreset = 'circle'\n[gan.generator]\nlayers = [\n\
             { inputs = 2, outputs = 2, activation = { kind = 'leaky_relu', slope = 'x' } } ]",
            ["line 5", "expected a number"],
        ),
        ("[run]\npreset = 'circle'\nepochs = 1\nsteps = 1", ["line 3, run.epochs", "run.steps"]),
        ("[run]\npreset = 'digits'\n\n[data]\npoints = 4", ["line 5, data.points", "fixed"]),
    ] {
        place.write("my.toml", text);
        place.fail("train my.toml", 2, &[&["my.toml: "][..], &parts].concat());
        place.fail("config my.toml", 2, &[&["my.toml: "][..], &parts].concat());
    }
    place.fail("config", 2, &["PRESET"]);
    place.fail("config circle --schema", 2, &["--schema"]);
    place.fail("config circel", 2, &["circel", "did you mean `circle`?", "own"]);
    place.fail("config circle --data x", 2, &["circle", "--data"]);
    place.fail("config nowhere.toml", 1, &["nowhere.toml"]);
}

/// The settings that a run of `text` writes, and the schema's consent to both.
fn resolved(place: &Place, schema: &Value, text: &str) -> Value {
    assert_eq!(problems(schema, schema, &as_json(text)), [""; 0], "{text}");
    place.write("short.toml", text);
    let printed = place.succeed("config short.toml");
    assert_eq!(problems(schema, schema, &as_json(&printed)), [""; 0], "{printed}");
    as_json(&printed)
}

#[test]
fn what_a_table_leaves_out_has_its_default() {
    let (place, schema) = (Place::new(), schema());
    let close = |value: &Value, expected: f64| (value.as_f64().unwrap() - expected).abs() < 1e-6 * expected.max(1e-3);
    // Of the preset's kind: the preset's settings. mixture1d-deep has adam with 0.0007, 0, 0.9999; mixture1d sgd with 0.01.
    for (preset, optimizer, expected) in [
        (
            "circle",
            "kind = 'adam'",
            vec![("learning_rate", 0.001), ("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)],
        ),
        (
            "circle",
            "kind = 'adam', learning_rate = 0.5",
            vec![("learning_rate", 0.5), ("beta1", 0.9), ("epsilon", 1e-8)],
        ),
        ("circle", "kind = 'adam', beta1 = 0.5", vec![("learning_rate", 0.001), ("beta1", 0.5), ("beta2", 0.999)]),
        (
            "mixture1d-deep",
            "kind = 'adam', beta2 = 0.5",
            vec![("learning_rate", 0.0007), ("beta1", 0.0), ("beta2", 0.5)],
        ),
        ("mixture1d", "kind = 'sgd', momentum = 0.5", vec![("learning_rate", 0.01), ("momentum", 0.5)]),
        ("mixture1d", "kind = 'adam', learning_rate = 0.1", vec![("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8)]),
        (
            "circle",
            "kind = 'adamw', learning_rate = 0.1",
            vec![("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), ("weight_decay", 0.01)],
        ),
        ("circle", "kind = 'rmsprop', learning_rate = 0.1", vec![("alpha", 0.99), ("epsilon", 1e-8)]),
        ("circle", "kind = 'sgd', learning_rate = 0.1", vec![("learning_rate", 0.1), ("momentum", 0.0)]),
    ] {
        for network in ["generator", "discriminator"] {
            // The discriminator of mixture1d-deep has another rate.
            if (preset, network) == ("mixture1d-deep", "discriminator") {
                continue;
            }
            let text = format!("[run]\npreset = '{preset}'\n[gan]\n{network}_optimizer = {{ {optimizer} }}");
            let found = resolved(&place, &schema, &text);
            for (name, value) in &expected {
                let found = &found["gan"][format!("{network}_optimizer")][*name];
                assert!(close(found, *value), "{text}: {name} is {found}");
            }
        }
    }
    // Another kind has another scale of rates.
    place.write("wrong.toml", "[run]\npreset = 'circle'\n[gan]\ngenerator_optimizer = { kind = 'sgd' }");
    place.fail("train wrong.toml --plan", 2, &["line 4, gan.generator_optimizer: learning_rate is missing"]);

    let layers = "layers = [{ inputs = 3, outputs = 2, activation = { kind = 'leaky_relu' } }]";
    let text = format!("[run]\npreset = 'circle'\n[gan.generator]\ninitialization = {{ kind = 'normal' }}\n{layers}");
    let found = &resolved(&place, &schema, &text)["gan"]["generator"];
    assert!(close(&found["layers"][0]["activation"]["slope"], 0.2) && close(&found["initialization"]["sigma"], 0.02));
    // A network keeps the preset's layers, or the preset's initialization.
    let text = "[run]\npreset = 'circle'\n[gan.discriminator]\ninitialization = { kind = 'he' }";
    let found = &resolved(&place, &schema, text)["gan"]["discriminator"];
    assert_eq!((found["layers"].as_array().unwrap().len(), &found["initialization"]["kind"]), (4, &json!("he")));
}
