//! Tests of animations: they are decoded and put together as a viewer does.

use super::*;
use crate::plot::Picture;

/// A PNG file of a black picture with a light rectangle.
fn picture(width: u32, height: u32, light: [std::ops::Range<u32>; 2]) -> Vec<u8> {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let shade = |(x, y)| if light[0].contains(&x) && light[1].contains(&y) { [250, 200, 40] } else { [0; 3] };
    Picture { width, height, pixels: places.flat_map(shade).collect() }.to_png().unwrap()
}

/// What a viewer shows: the still picture, and each frame with its milliseconds.
struct Played {
    size: (usize, usize),
    still: Vec<[u8; 3]>,
    frames: Vec<(Vec<[u8; 3]>, u16)>,
    /// Pixels that are stored for each frame.
    stored: Vec<usize>,
}

fn play(file: &[u8]) -> Played {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let control = *reader.info().animation_control().unwrap();
    assert_eq!(control.num_plays, 0, "it loops for ever");
    assert!(reader.info().frame_control().is_none(), "the still picture is no frame");
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut buffer).unwrap();
    let opaque = |pixel: &[u8; 4]| {
        assert_eq!(pixel[3], 255);
        [pixel[0], pixel[1], pixel[2]]
    };
    let still = buffer.as_chunks().0.iter().map(opaque).collect();
    let mut played = Played { size: (width, height), still, frames: Vec::new(), stored: Vec::new() };
    let mut canvas = vec![[0; 4]; width * height];
    for _ in 0..control.num_frames {
        let info = reader.next_frame(&mut buffer).unwrap();
        let frame = *reader.info().frame_control().unwrap();
        assert_eq!(frame.dispose_op, png::DisposeOp::None);
        let pixels = buffer[..info.buffer_size()].as_chunks::<4>().0;
        for (i, &pixel) in pixels.iter().enumerate() {
            let (x, y) = (frame.x_offset + i as u32 % frame.width, frame.y_offset + i as u32 / frame.width);
            if frame.blend_op == png::BlendOp::Source || pixel[3] > 0 {
                canvas[y as usize * width + x as usize] = pixel;
            }
        }
        assert_eq!(frame.delay_den, 1000);
        played.frames.push((canvas.iter().map(opaque).collect(), frame.delay_num));
        played.stored.push(pixels.len());
    }
    assert!(reader.next_frame(&mut buffer).is_err(), "more frames than announced");
    played
}

#[test]
fn frames_are_the_pictures_and_only_changes_are_stored() {
    let lights = [[0..3, 0..2], [1..4, 0..2], [1..4, 0..2], [9..20, 5..9], [0..0, 0..0]];
    let files: Vec<_> = lights.into_iter().map(|light| picture(20, 9, light)).collect();
    let played = play(&animation(&files).unwrap());
    assert_eq!(played.size, (20, 9));
    for ((frame, _), file) in played.frames.iter().zip(&files) {
        assert!(*frame.as_flattened() == *decode(file).unwrap().1);
    }
    assert_eq!(played.frames.len(), files.len());
    assert!(played.still == played.frames[4].0);
    assert_eq!(played.stored, [20 * 9, 4 * 2, 1, 19 * 9, 11 * 4]);
}

#[test]
fn a_run_is_played_in_some_five_seconds() {
    for (count, expected, each) in
        [(1, 1, 2000), (2, 2, 500), (11, 11, 454), (50, 50, 100), (100, 100, 50), (1000, 100, 50)]
    {
        let files: Vec<_> = (0..count).map(|i| picture(1100, 1, [0..i + 2, 0..1])).collect();
        let played = play(&animation(&files).unwrap());
        assert_eq!(played.frames.len(), expected);
        assert_eq!((played.frames[0].1, played.frames[expected - 1].1), (each, 2000));
        // The first and the last picture are there.
        let light = |pixels: &[[u8; 3]]| pixels.iter().filter(|pixel| **pixel != [0; 3]).count();
        assert_eq!((light(&played.frames[0].0), light(&played.still)), (2, count as usize + 1));
        assert!(played.frames.windows(2).all(|pair| light(&pair[0].0) < light(&pair[1].0)));
    }
}

#[test]
fn large_pictures_are_halved() {
    let played = play(&animation(&[picture(1001, 7, [0..2, 0..2]), picture(1001, 7, [1..3, 1..4])]).unwrap());
    assert_eq!(played.size, (500, 3));
    let mean = |quarters: u32| [250, 200, 40].map(|v: u32| ((v * quarters + 2) / 4) as u8);
    assert_eq!(played.frames[0].0[..2], [mean(4), mean(0)]);
    assert_eq!(played.frames[1].0[..2], [mean(1), mean(1)]);
    assert_eq!(played.frames[1].0[500..502], [mean(2), mean(2)]);
}

#[test]
fn gray_pictures_are_taken_too() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[0, 129]).unwrap();
    assert_eq!(play(&animation(&[file]).unwrap()).still, [[0; 3], [129; 3]]);
}

#[test]
fn what_is_wrong_is_named() {
    let good = picture(4, 3, [0..1, 0..1]);
    let mut flipped = good.clone();
    let middle = good.len() - 20;
    flipped[middle] ^= 1;
    let mut transparent = Vec::new();
    let mut encoder = png::Encoder::new(&mut transparent, 4, 3);
    encoder.set_color(png::ColorType::Rgba);
    encoder.write_header().unwrap().write_image_data(&[0; 48]).unwrap();
    let mut huge = good[..33].to_vec();
    huge[16..24].fill(0x7F);
    for (bad, problem) in [
        (picture(3, 4, [0..1, 0..1]), "has 3 x 4 pixels, the first 4 x 3"),
        (good[..good.len() - 30].to_vec(), "is no sound PNG file"),
        (Vec::new(), "is no sound PNG file"),
        (flipped, "is no sound PNG file"),
        (huge, "is no sound PNG file"),
        (transparent, "has transparency"),
    ] {
        let error = animation(&[good.clone(), bad, good.clone()]).unwrap_err().to_string();
        assert!(error.starts_with("picture 2 of the animation: ") && error.contains(problem), "{error}");
    }
    assert!(animation(&[]).unwrap_err().to_string().contains("no picture"));
    for length in 0..good.len() - 12 {
        assert!(animation(&[good[..length].to_vec()]).is_err(), "cut off at {length}");
    }
}
