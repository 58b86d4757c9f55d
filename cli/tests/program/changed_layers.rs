//! A run that is to go on with networks of other layers is refused for that, and no checkpoint is called damaged.

use crate::place::Place;

#[test]
fn other_layers_are_refused_by_name_whatever_changes_them() {
    let place = Place::new();
    place.succeed("train circle --steps 8 --checkpoint-steps 4 --points 300 --quiet --out run");
    place.succeed("train circle --steps 8 --points 300 --replicas 2 --quiet --out two");
    let parts =
        ["changed settings: ", "gan.discriminator.layers[3].outputs was 1 and is 2", "new run", "objective was"];
    for more in ["", " --override", " --steps 20 --override"] {
        place.fail(&format!("train --resume run --objective softmax{more}"), 2, &parts);
        place.fail(&format!("train --resume two --objective softmax{more}"), 2, &parts);
    }
    // Smaller and larger ones in the file of the settings: a checkpoint may be too large for those.
    let config = place.read("run/config.toml");
    for width in [1, 9000] {
        let narrow = config.replacen("outputs = 16,", &format!("outputs = {width},"), 1);
        let changed = narrow.replacen("inputs = 16,", &format!("inputs = {width},"), 1);
        place.write("run/config.toml", changed);
        for more in ["", " --override"] {
            let parts = ["changed settings: ", "gan.generator.layers[0].outputs was 16 and is", "new run"];
            place.fail(&format!("train --resume run{more}"), 2, &parts);
        }
    }
    place.write("run/config.toml", config);
    place.succeed("train --resume run --steps 10 --quiet");
}
