//! Tests of whole files: round trip, damage of every kind, and what TensorBoard's own reader finds.

#[path = "../../tests/program/skip.rs"]
mod skip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gannet::Error;
use serde_json::{Value as Json, json};

use super::EventWriter;
use super::messages::{Event, Kind, SessionLog, What};
use super::read::EventFile;
use super::record::{self, FOOTER, HEADER};
use super::writer::PREFIX;
use crate::plot::Picture;
use skip::skip;

/// The event files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(PREFIX));
    paths.sort();
    paths
}

/// A PNG file of one shade.
fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    Picture { width, height, pixels: vec![shade; (3 * width * height) as usize] }.to_png().unwrap()
}

/// Numbers around -1 and 1.
fn numbers() -> Vec<f32> {
    (0..1000).map(|i| if i % 4 == 0 { -1.0 } else { 1.0 } + i as f32 * 1e-4).collect()
}

/// The bytes of a file with an event of each kind.
fn sample() -> Vec<u8> {
    let place = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(place.path(), None).unwrap();
    writer.scalars(1, &[("losses/discriminator", 1.25), ("losses/generator", f64::NAN)]).unwrap();
    writer.image(2, "samples", &png(3, 2, 9)).unwrap();
    writer.histogram(3, "weights/generator", &[-1.0, 0.0, 1.0, f32::INFINITY]).unwrap();
    writer.flush().unwrap();
    fs::read(&files(place.path())[0]).unwrap()
}

/// The events of a file up to its end, and the error that it ends with, if any.
fn read(bytes: &[u8]) -> (Vec<Event>, Option<Error>) {
    let file = EventFile::from_bytes("a file", bytes.to_vec());
    let mut events = Vec::new();
    for event in file.events() {
        match event {
            Ok(event) => events.push(event),
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}

/// The ends of the records of a sound file.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let file = EventFile::from_bytes("a file", bytes.to_vec());
    let mut events = file.events();
    std::iter::from_fn(|| events.next().map(|event| event.unwrap())).count();
    let mut ends = vec![0];
    while ends[ends.len() - 1] < bytes.len() {
        let start = ends[ends.len() - 1];
        let length = u64::from_le_bytes(*bytes[start..].first_chunk().unwrap()) as usize;
        ends.push(start + HEADER + length + FOOTER);
    }
    assert_eq!((events.offset(), ends[ends.len() - 1]), (bytes.len(), bytes.len()));
    ends
}

/// A record of any bytes.
fn framed(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let sums = [&length[..], message].map(|bytes| record::checksum(bytes).to_le_bytes());
    [&length[..], &sums[0], message, &sums[1]].concat()
}

#[test]
fn what_was_written_is_read_back() {
    let (events, error) = read(&sample());
    assert!(error.is_none());
    let steps: Vec<_> = events.iter().map(|event| event.step).collect();
    assert_eq!(steps, [0, 0, 1, 2, 3]);
    assert!(events.iter().all(|event| event.wall_time > 1.7e9));
    assert_eq!(events[0].what, Some(What::FileVersion("brain.Event:2".to_owned())));
    assert!(events[0].source_metadata.as_ref().unwrap().writer.starts_with("gannet "));
    assert_eq!(events[1].what, Some(What::SessionLog(SessionLog { status: SessionLog::START })));
    let values = |i: usize| match &events[i].what {
        Some(What::Summary(summary)) => summary.values.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((values(2)[0].tag.as_str(), &values(2)[0].kind), ("losses/discriminator", &Some(Kind::Scalar(1.25))));
    assert!(matches!(values(2)[1].kind, Some(Kind::Scalar(loss)) if loss.is_nan()));
    let Some(Kind::Image(image)) = &values(3)[0].kind else { panic!() };
    assert_eq!((image.width, image.height, image.colorspace), (3, 2, 3));
    assert_eq!(image.encoded, png(3, 2, 9));
    let Some(Kind::Histogram(histogram)) = &values(4)[0].kind else { panic!() };
    assert_eq!((histogram.count, histogram.min, histogram.max, histogram.sum), (3.0, -1.0, 1.0, 0.0));
}

#[test]
fn a_file_cut_off_anywhere_gives_what_is_whole() {
    let bytes = sample();
    let ends = ends(&bytes);
    let all = read(&bytes).0;
    for length in 0..bytes.len() {
        let (events, error) = read(&bytes[..length]);
        let whole = ends.iter().filter(|&&end| end <= length).count() - 1;
        assert!(error.is_none() && events.len() == whole, "{length}: {error:?}");
        // Debug, since NaN is no equal of itself.
        assert_eq!(format!("{events:?}"), format!("{:?}", &all[..whole]), "{length}");
    }
}

#[test]
fn each_flipped_bit_is_found_where_it_is() {
    let bytes = sample();
    let ends = ends(&bytes);
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let (events, error) = read(&damaged);
        let record = ends.iter().filter(|&&end| end <= bit / 8).count() - 1;
        assert_eq!(events.len(), record, "bit {bit}");
        let message = error.expect("found").to_string();
        assert!(
            message.starts_with("a file: ") && message.ends_with(&format!("at offset {}", ends[record])),
            "{message}"
        );
    }
}

#[test]
fn impossible_records_are_errors_before_memory_is_taken() {
    for length in [record::LONGEST as u64 + 1, u64::MAX, u64::MAX - 15] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(record::checksum(&length.to_le_bytes()).to_le_bytes());
        assert!(read(&bytes).1.unwrap().to_string().contains("longer than any event"));
    }
    // A summary of 65,537 empty values; lengths beyond the end; a number without end; a group; text that is none.
    let many = [&[0x2A, 0x82, 0x80, 0x08][..], &[0x0A, 0x00].repeat((1 << 16) + 1)].concat();
    let odd: [&[u8]; 7] = [
        &many,
        &[0x2A, 0x05, 0x00],
        &[0x2A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        &[0xFF; 12],
        &[0x0B, 0x0C],
        &[0x1A, 0x01, 0xFF],
        &[0x09, 0x00],
    ];
    for message in odd {
        let (events, error) = read(&framed(message));
        assert!(events.is_empty() && error.unwrap().to_string().ends_with("at offset 0"), "{message:?}");
    }
    // As many as are allowed, and fields that this program does not know.
    let most = [&[0x2A, 0x80, 0x80, 0x08][..], &[0x0A, 0x00].repeat(1 << 16)].concat();
    for message in [&most[..], &[0x22, 0x01, 0xFF, 0xF5, 0x01, 1, 2, 3, 4], &[]] {
        assert!(matches!(read(&framed(message)), (events, None) if events.len() == 1), "{message:?}");
    }
}

#[test]
fn files_are_read_from_disk() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("events");
    fs::write(&path, &sample()[..30]).unwrap();
    let error = EventFile::open(&path).unwrap().events().next();
    assert!(error.is_none());
    fs::write(&path, [0; 30]).unwrap();
    let error = EventFile::open(&path).unwrap().events().next().unwrap().unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()));
    assert!(matches!(EventFile::open(&place.path().join("none")), Err(Error::Io { action: "read", .. })));
}

/// Writes a run that is resumed: steps 0 to 40, again from step 20 on, to 60, with other values.
fn write_resumed_run(folder: &Path) {
    let mut metrics = String::from("step,epoch,discriminator_loss,generator_loss\n");
    let mut evaluation = String::from("step,epoch,quality,verdict\n");
    for (first, last, offset) in [(0u64, 40u64, 100.0), (20, 60, 0.0)] {
        let mut writer = EventWriter::create(folder, (first > 0).then_some(first)).unwrap();
        for step in (first..=last).step_by(5) {
            if step == first && first > 0 {
                continue;
            }
            let kept = first > 0 || step <= 20;
            // One has 32 bits, the other has to be rounded.
            let (loss, other) = (offset + step as f64 / 4.0, offset - step as f64 / 3.0);
            writer.scalars(step, &[("losses/discriminator_loss", loss), ("losses/generator_loss", other)]).unwrap();
            if kept {
                metrics += &format!("{step},1,{loss},{other}\n");
            }
            if step % 10 == 0 {
                writer.scalars(step, &[("measures/quality", f64::NAN), ("measures/infinite", f64::INFINITY)]).unwrap();
                writer.image(step, "samples", &png(4, 2 + step as u32, step as u8)).unwrap();
                writer.histogram(step, "weights/generator", &numbers()).unwrap();
                writer.histogram(step, "weights/same", &[0.5; 7]).unwrap();
                writer.histogram(step, "weights/none", &[f32::NAN]).unwrap();
                if kept {
                    evaluation += &format!("{step},1,NaN,healthy\n");
                }
            }
        }
        writer.flush().unwrap();
    }
    fs::write(folder.join("metrics.csv"), metrics).unwrap();
    fs::write(folder.join("evaluation.csv"), evaluation).unwrap();
}

/// Where the variable `GANNET_EVENTS_PYTHON` names a Python with the package `tensorboard`, its reader must find what was
/// written, once each, and nothing of what the resumed run made void.
#[test]
fn tensorboard_reads_what_was_written() {
    let Some(python) = std::env::var_os("GANNET_EVENTS_PYTHON") else {
        return skip("Python with the package tensorboard", "name it with $GANNET_EVENTS_PYTHON");
    };
    let place = tempfile::tempdir().unwrap();
    write_resumed_run(place.path());
    // A torn record at the end, as a killed process leaves it.
    let last = files(place.path()).pop().unwrap();
    let torn = [&fs::read(&last).unwrap(), &sample()[..20]].concat();
    fs::write(&last, torn).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/read_events.py");
    let run = |folder: &Path| Command::new(&python).arg(&script).arg(folder).arg("--against-csv").output().unwrap();
    let output = run(place.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Json = serde_json::from_slice(&output.stdout).unwrap();

    let steps: Vec<u64> = (0..=60).step_by(5).collect();
    let loss = |step: u64| step as f64 / 4.0 + if step <= 20 { 100.0 } else { 0.0 };
    let losses: Vec<Json> = steps.iter().map(|&step| json!([step, loss(step)])).collect();
    assert_eq!(found["scalars"]["losses/discriminator_loss"], Json::Array(losses));
    let evaluated: Vec<u64> = (0..=60).step_by(10).collect();
    let each = |value: Json| Json::Array(evaluated.iter().map(|&step| json!([step, value])).collect());
    assert_eq!(found["scalars"]["measures/quality"], each(json!("nan")));
    assert_eq!(found["scalars"]["measures/infinite"], each(json!("inf")));

    let images: Vec<Json> = evaluated
        .iter()
        .map(|&step| {
            let bytes = png(4, 2 + step as u32, step as u8);
            json!([step, { "width": 4, "height": 2 + step, "sha256": crate::terminal::output::sha256(&bytes) }])
        })
        .collect();
    assert_eq!(found["images"]["samples"], Json::Array(images));

    assert_eq!(found["histograms"]["weights/same"], each(json!([[0.5, 0.5, 7.0]])));
    assert_eq!(found["histograms"]["weights/none"], each(json!([])));
    check_histograms(&found["histograms"]["weights/generator"], &evaluated);

    // The comparison with the tables finds a wrong value and a missing step.
    let metrics = fs::read_to_string(place.path().join("metrics.csv")).unwrap();
    for wrong in [metrics.replace("\n60,1,15,", "\n60,1,15.5,"), metrics.clone() + "65,1,0,0\n"] {
        assert_ne!(wrong, metrics);
        fs::write(place.path().join("metrics.csv"), wrong).unwrap();
        let output = run(place.path());
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("losses/discriminator_loss"));
    }
}

/// Checks the counts of [`numbers`] in each histogram.
fn check_histograms(found: &Json, evaluated: &[u64]) {
    let entries = found.as_array().unwrap();
    assert_eq!(entries.iter().map(|entry| entry[0].as_u64().unwrap()).collect::<Vec<_>>(), evaluated);
    for entry in entries {
        let buckets: Vec<[f64; 3]> = serde_json::from_value(entry[1].clone()).unwrap();
        assert!(buckets.iter().all(|[left, right, _]| left <= right));
        assert_eq!((buckets[0][0], buckets[buckets.len() - 1][1]), (-1.0, f64::from(1.0999_f32)));
        let count = |sign: f64| buckets.iter().filter(|b| (b[0] + b[1]) * sign > 0.0).map(|b| b[2]).sum::<f64>();
        assert_eq!((count(-1.0), count(1.0)), (250.0, 750.0));
    }
}
