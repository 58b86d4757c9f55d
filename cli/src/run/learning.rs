//! `learning.png`: the pictures of the evaluations of a run as an animation.

use gannet::internals::file;
use gannet::{Error, Result};

use crate::animation;
use crate::folder::course;
use crate::folder::run_folder::{ANIMATION, RunFolder};
use crate::numbers::counted;

/// Writes it into the `folder` of a run that was evaluated at the steps `evaluated`. A picture that cannot be read is left out; where
/// the animation that is there shows more pictures than can be read, it stays. Returns what has to be told of that.
///
/// # Errors
///
/// [`Error::Io`] where the system refuses to write.
pub(crate) fn write(folder: &RunFolder, evaluated: &[u64]) -> Result<Option<String>> {
    let shown = animation::shown(evaluated.len()).into_iter().map(|index| evaluated[index]);
    let read = |step| {
        let path = folder.path().join(course::picture_name(step));
        let picture = file::read(&path, animation::LARGEST_FILE)?;
        Ok((path, picture))
    };
    let (pictures, unread): (Vec<_>, Vec<_>) = shown.map(read).partition(Result::is_ok);
    let pictures: Vec<_> = pictures.into_iter().flatten().collect();
    let mut problems: Vec<Error> = unread.into_iter().filter_map(Result::err).collect();
    let (paths, mut frames): (Vec<_>, Vec<_>) = pictures.into_iter().unzip();
    let mut made = animation::animation(&frames);
    if made.is_err() {
        // Which of them are no pictures of this run is looked for only where there are some.
        let wrong = animation::unfit(&frames);
        let of =
            |(index, problem): &(usize, String)| Error::data(paths[*index].display().to_string(), problem.as_str());
        problems.extend(wrong.iter().map(of));
        wrong.iter().rev().for_each(|(index, _)| drop(frames.remove(*index)));
        made = animation::animation(&frames);
    }
    let told = problems.first().map(|first| match problems.len() {
        1 => first.to_string(),
        count => format!("{first} (and {} more)", count - 1),
    });
    let there = || file::read(&folder.path().join(ANIMATION), animation::LARGEST_FILE).ok();
    let before = told.as_ref().and_then(|_| animation::count(&there()?)).unwrap_or(0);
    match (made, told) {
        (Ok(animation), None) => folder.write(ANIMATION, &animation).map(|()| None),
        (Ok(animation), Some(told)) if frames.len() >= before => {
            folder.write(ANIMATION, &animation)?;
            Ok(Some(format!("{ANIMATION} leaves out a picture: {told}")))
        }
        (_, Some(told)) if before > 0 => {
            let (can, before) = (frames.len(), counted(before as u64, "picture"));
            Ok(Some(format!("{ANIMATION} stays as it was, with {before}; {can} can be read now: {told}")))
        }
        (_, Some(told)) => Ok(Some(format!("there is no {ANIMATION}: {told}"))),
        (Err(error), None) => Ok(Some(format!("there is no {ANIMATION}: {error}"))),
    }
}
