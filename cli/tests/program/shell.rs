//! What the program gives to shells and `man`, and options that reach the settings.

use crate::place::Place;
use crate::skip::skip;

#[test]
fn completions_are_printed_for_each_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.succeed(&format!("completions {shell}"));
        assert!(script.contains("evaluate") && script.contains("checkpoint"), "{shell}");
    }
    place.fail("completions tcsh", 2, &["bash"]);
    // The script is one that bash takes.
    let Ok(bash) = std::process::Command::new("bash").arg("--version").output() else {
        return skip("bash", "install it");
    };
    assert!(bash.status.success());
    place.write("script", place.succeed("completions bash"));
    let checked = std::process::Command::new("bash").arg("-n").arg(place.path("script")).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn manual_pages_are_printed_or_written() {
    let place = Place::new();
    let page = place.succeed("man");
    assert!(page.contains(".TH gannet 1") && page.contains("gannet\\-train(1)"), "{page}");
    let page = place.succeed("man train");
    assert!(page.contains(".TH gannet-train 1") && page.contains("generator\\-beta1"), "{page}");
    place.succeed("man --out deep/man1");
    let pages = place.files("deep/man1");
    assert!(["gannet.1", "gannet-train.1", "gannet-sample.1"].iter().all(|name| pages.contains(*name)), "{pages:?}");
    assert_eq!(place.read("deep/man1/gannet-train.1"), page);
    place.fail("man --out deep/man1", 2, &["exists already", "--force"]);
    place.succeed("man --out deep/man1 --force");
    place.fail("man trian", 2, &["`trian` is unknown", "train"]);
}

#[test]
fn beta1_reaches_adam_and_is_refused_elsewhere() {
    let place = Place::new();
    place.succeed("train circle --steps 2 --beta1 0.5 --discriminator-beta1 0 --quiet --out run");
    let config = place.read("run/config.toml");
    let optimizer = |name: &str| config.lines().find(|line| line.starts_with(name)).unwrap().to_string();
    assert!(optimizer("generator_optimizer").contains("beta1 = 0.5"), "{config}");
    assert!(optimizer("discriminator_optimizer").contains("beta1 = 0.0"), "{config}");
    place.fail("train --resume run --steps 4 --beta1 0.9", 2, &["generator_optimizer.beta1", "--override"]);
    for option in ["--beta1", "--generator-beta1", "--discriminator-beta1"] {
        place.fail(
            &format!("train mixture1d --steps 2 {option} 0.5 --out no"),
            2,
            &["beta1", "gradient descent", "Adam"],
        );
        place.fail(&format!("train circle --steps 2 {option} 1 --out no"), 2, &["below 1"]);
    }
}
