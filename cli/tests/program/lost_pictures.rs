//! Pictures of a run that are gone or damaged: they are named, the others are shown, and a better animation is not replaced.

use std::fs;
use std::io::Cursor;

use crate::place::Place;

const SETTINGS: &str = "circle --steps 40 --points 300 --evaluate-every 10 --quiet";

/// The frames of the animation of `run`.
fn frames(place: &Place, run: &str) -> u32 {
    let file = place.bytes(&format!("{run}/learning.png"));
    let reader = png::Decoder::new(Cursor::new(&file)).read_info().unwrap();
    reader.info().animation_control().unwrap().num_frames
}

#[test]
fn a_picture_that_cannot_be_read_is_named_and_left_out() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out run"));
    assert_eq!(frames(&place, "run"), 5);
    let whole = place.bytes("run/samples/step-000020.png");
    place.succeed("train gaussian2d --steps 2 --batch 32 --quiet --out other");
    let of_another = place.bytes("other/losses.png");
    for (damaged, told) in
        [(&b"no picture"[..], true), (b"", true), (&whole[..whole.len() / 2], false), (&of_another, false)]
    {
        place.write("run/samples/step-000020.png", damaged);
        // The page shows what looks like a picture.
        for arguments in ["report run", "report run other --out both.html --force"] {
            let outcome = place.run(arguments);
            assert_eq!(outcome.code, Some(0), "{outcome:?}");
            assert_eq!(outcome.stderr.contains("samples/step-000020.png"), told, "{arguments}: {outcome:?}");
        }
        assert_eq!(place.read("run/report.html").contains("samples/step-000020.png cannot be read"), told);
        // The animation has one frame less, and says so even where nothing else is said.
        fs::remove_file(place.path("run/learning.png")).unwrap();
        let outcome = place.run("train --resume run --quiet");
        assert_eq!((outcome.code, frames(&place, "run")), (Some(0), 4), "{outcome:?}");
        assert!(outcome.stderr.contains("leaves out a picture: run/samples/step-000020.png"), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    }
    // The first and the last one.
    place.write("run/samples/step-000020.png", &whole);
    place.write("run/samples/step-000000.png", b"");
    place.write("run/samples/step-000040.png", &of_another);
    fs::remove_file(place.path("run/learning.png")).unwrap();
    let outcome = place.run("train --resume run --quiet");
    assert_eq!((outcome.code, frames(&place, "run")), (Some(0), 3), "{outcome:?}");
    assert!(outcome.stderr.contains("step-000000.png") && outcome.stderr.contains("(and 1 more)"), "{outcome:?}");
    place.write("run/samples/step-000010.png", b"");
    let told = place.run("report run").stderr;
    let both = "samples/step-000000.png, samples/step-000010.png cannot be read as pictures and are left out";
    assert!(told.contains(both), "{told}");
}

#[test]
fn pictures_that_are_gone_do_not_shorten_the_animation() {
    let place = Place::new();
    place.succeed(&format!("train {SETTINGS} --out run"));
    let before = place.bytes("run/learning.png");
    fs::remove_dir_all(place.path("run/samples")).unwrap();
    // The picture of the end comes back.
    let outcome = place.run("train --resume run --quiet");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(place.bytes("run/learning.png") == before);
    for part in ["learning.png stays as it was", "5 pictures", "1 can be read", "run/samples/step-000000.png"] {
        assert!(outcome.stderr.contains(part), "{part}: {outcome:?}");
    }
    // On to more of them than it has.
    place.succeed("train --resume run --steps 60 --evaluate-every 10 --quiet");
    assert!(place.bytes("run/learning.png") == before);
    place.succeed("train --resume run --steps 100 --evaluate-every 10 --quiet");
    assert_eq!(frames(&place, "run"), 7);
}
