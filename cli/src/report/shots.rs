//! The pictures of a run: those that fit into a page, as data URIs.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::read;
use crate::folder::run_folder::{PICTURES, SAMPLES};

/// Pictures of one run in a page.
const MOST: usize = 30;
/// Bytes of one picture; in a page of many runs it may be no larger than the second.
const LARGEST: u64 = 4 << 20;
const LARGEST_OF_MANY: u64 = 1 << 20;
/// Bytes of all pictures in a page, as files. A data URI takes a third more.
const PAGE: u64 = 10 << 20;
/// The same in a page that is made again and again, which comes to hundreds of megabytes an hour.
const LIVE_PAGE: u64 = 3 << 20;
/// Entries of a folder that are looked at.
const MOST_FILES: usize = 1 << 17;
/// Pixels of an edge.
const LONGEST_EDGE: u32 = 1 << 14;

/// Bytes that the pictures of a page of `runs` runs take as data URIs at most, where each run has `pictures` files of `bytes`: those
/// that fit into the page, and one of each run in any case.
pub(super) fn memory(runs: u64, pictures: u64, bytes: u64) -> u64 {
    let all = runs.saturating_mul(pictures.min(MOST as u64)).saturating_mul(bytes);
    let kept = all.min(if runs > 1 { PAGE } else { LIVE_PAGE }.max(runs.saturating_mul(bytes)));
    kept.saturating_mul(4) / 3
}

/// A picture of what the generator made.
#[derive(Clone, Debug)]
pub(super) struct Shot {
    /// After this step; `None` = at the end.
    pub(super) step: Option<u64>,
    /// Pixels.
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes of its file.
    bytes: u64,
    /// The picture itself.
    pub(super) uri: String,
}

/// The pictures of the run in `folder`, evenly thinned to what one of `runs` runs may take in a page. The last one stays in any
/// case, unless it is far larger than a picture of a run. Those that are among `known` are not read again. What is no picture is left
/// out, and stands by its name in the second list.
pub(super) fn read(folder: &Path, runs: usize, live: bool, mut known: Vec<Shot>) -> (Vec<Shot>, Vec<String>) {
    let budget = if live { LIVE_PAGE } else { PAGE } / runs.max(1) as u64;
    let (mut files, mut left_out) = evaluations(folder, budget.clamp(LARGEST_OF_MANY, LARGEST));
    thin(&mut files, MOST);
    while files.len() > 1 && files.iter().map(|file| file.bytes).sum::<u64>() > budget {
        let fewer = files.len() - (files.len() / 8).max(1);
        thin(&mut files, fewer);
    }
    let mut take = |file: &File| {
        let is_known = |shot: &Shot| shot.step == Some(file.step) && shot.bytes == file.bytes;
        let place = known.iter().position(is_known);
        let taken = place.map_or_else(|| shot(&file.path, Some(file.step)), |place| Some(known.swap_remove(place)));
        if taken.is_none() {
            left_out.push(name(&file.path));
        }
        taken
    };
    let shots: Vec<Shot> = files.iter().filter_map(&mut take).collect();
    let shots = if shots.is_empty() { shot(&folder.join(SAMPLES), None).into_iter().collect() } else { shots };
    left_out.sort();
    (shots, left_out)
}

/// The name of a picture in the folder of its run.
fn name(path: &Path) -> String {
    format!("{PICTURES}/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// A picture in the folder `samples`.
struct File {
    step: u64,
    bytes: u64,
    path: PathBuf,
}

/// The pictures of at most `largest` bytes made at evaluations, by their steps; and the names of those that are no files.
fn evaluations(folder: &Path, largest: u64) -> (Vec<File>, Vec<String>) {
    let Ok(entries) = folder.join(PICTURES).read_dir() else { return (Vec::new(), Vec::new()) };
    let mut no_files = Vec::new();
    let mut file = |path: PathBuf| {
        let digits = path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".png")?;
        let step = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
        let Some(metadata) = path.metadata().ok().filter(|metadata| metadata.is_file()) else {
            no_files.push(name(&path));
            return None;
        };
        let fits = metadata.len() <= largest;
        fits.then_some(File { step, bytes: metadata.len(), path })
    };
    let mut files: Vec<File> = entries.take(MOST_FILES).filter_map(|entry| file(entry.ok()?.path())).collect();
    files.sort_by_key(|file| file.step);
    files.dedup_by_key(|file| file.step);
    (files, no_files)
}

/// Keeps `most` of `files`, evenly spaced, the first and the last among them; of one the last.
fn thin(files: &mut Vec<File>, most: usize) {
    let count = files.len();
    if count <= most {
        return;
    }
    let kept = |index: usize| match most {
        0 => false,
        1 => index + 1 == count,
        _ => (0..most).any(|place| place * (count - 1) / (most - 1) == index),
    };
    let mut index = 0;
    files.retain(|_| {
        index += 1;
        kept(index - 1)
    });
}

/// A PNG file as a data URI; `None` where it is none.
pub(super) fn shot(path: &Path, step: Option<u64>) -> Option<Shot> {
    from_png(&read::bytes(path, LARGEST)?, step)
}

/// The same of the bytes of a PNG file.
pub(super) fn from_png(bytes: &[u8], step: Option<u64>) -> Option<Shot> {
    // Signature, length and name of the header, width, height (PNG, third edition, 5.2 and 11.2.1).
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")?;
    let edge = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let (width, height) = (edge(0)?, edge(4)?);
    let sensible = |edge: u32| (1..=LONGEST_EDGE).contains(&edge);
    (sensible(width) && sensible(height)).then(|| Shot {
        step,
        width,
        height,
        bytes: bytes.len() as u64,
        uri: format!("data:image/png;base64,{}", STANDARD.encode(bytes)),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::plot::Picture;

    /// A black picture, made to take at least `bytes` by what stands behind its end.
    fn png(width: u32, bytes: usize) -> Vec<u8> {
        let mut file = Picture { width, height: 2, pixels: vec![0; 6 * width as usize] }.to_png().unwrap();
        file.resize(file.len().max(bytes), 0);
        file
    }

    #[test]
    fn pictures_are_thinned_by_number_and_by_size() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("samples")).unwrap();
        for step in 0..100 {
            fs::write(place.path().join(format!("samples/step-{:06}.png", 10 * step)), png(3, 0)).unwrap();
        }
        let steps = |runs| {
            read(place.path(), runs, false, Vec::new()).0.iter().map(|shot| shot.step.unwrap()).collect::<Vec<_>>()
        };
        let found = steps(1);
        assert_eq!((found.len(), found[0], found[29]), (MOST, 0, 990));
        fs::write(place.path().join("samples/step-000990.png"), png(3, 1 << 20)).unwrap();
        assert_eq!(steps(10).last(), Some(&990));
        assert_eq!(steps(11), [990]);
    }

    #[test]
    fn only_pictures_are_taken() {
        let place = tempfile::tempdir().unwrap();
        let samples = place.path().join("samples");
        fs::create_dir(&samples).unwrap();
        fs::create_dir(samples.join("step-000002.png")).unwrap();
        let mut enormous = png(3, 0);
        enormous[16] = 0xff;
        for (name, bytes) in [
            ("step-000000.png", b"<script>".to_vec()),
            ("step-000001.png", png(3, 0)[..20].to_vec()),
            ("step-000003.png", png(3, 5 << 20)),
            ("step-000004.png", enormous),
            ("step-x.png", png(3, 0)),
            ("step-000005-row.png", png(3, 0)),
            ("step-+00006.png", png(3, 0)),
            ("step-99999999999999999999.png", png(3, 0)),
        ] {
            fs::write(samples.join(name), bytes).unwrap();
        }
        let all = |known| read(place.path(), 1, false, known);
        let (shots, left_out) = all(Vec::new());
        assert!(shots.is_empty());
        assert_eq!(left_out, [0, 1, 2, 4].map(|step| format!("samples/step-{step:06}.png")));
        let read = |known| all(known).0;
        fs::write(place.path().join("samples.png"), png(7, 0)).unwrap();
        let shots = read(Vec::new());
        assert_eq!((shots.len(), shots[0].step, shots[0].width, shots[0].height), (1, None, 7, 2));
        fs::write(samples.join("step-000008.png"), png(5, 0)).unwrap();
        let shots = read(Vec::new());
        assert_eq!(shots[0].step, Some(8));
        // One that is known is not read again, unless its file is another.
        let known = vec![Shot { uri: "known".to_string(), ..shots[0].clone() }];
        assert_eq!(read(known.clone())[0].uri, "known");
        fs::write(samples.join("step-000008.png"), png(6, 100)).unwrap();
        assert_eq!(read(known)[0].width, 6);
    }
}
