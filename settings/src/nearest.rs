//! "Did you mean": the nearest of a list of known names.

/// The name of `known` that `wrong` was most likely meant to be: the one that fewest edits (a letter inserted, removed or
/// replaced) turn into it, if those are at most a third of its letters (rounded up).
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = wrong.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|name| (strsim::levenshtein(&wrong.to_lowercase(), name), name))
        .filter(|&(edits, _)| edits <= most)
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, name)| name)
}

/// `; did you mean `name`?` for the nearest name, or nothing.
pub fn suggestion<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wrong, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["circle", "mnist", "digits"];
        assert_eq!(nearest("circel", known), Some("circle"));
        assert_eq!(nearest("MNIST", known), Some("mnist"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest("", known), None);
    }
}
