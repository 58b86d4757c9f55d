//! Sums in a binary tree, whose order the number of terms alone fixes.

use super::{Chunks, Team};

/// Adds all `terms` into the first: `add` takes two of them and adds the second to the first, by pairs of neighbors, then by pairs of
/// these sums, until one is left.
pub fn add_in_tree<T: Send>(team: &Team<'_>, terms: &mut [T], add: impl Fn(&mut T, &T) + Sync) {
    let (count, mut distance) = (terms.len(), 1);
    while distance < count {
        team.for_each(Chunks::new(terms, 2 * distance), |terms| {
            if let Some((to, from)) = terms.split_at_mut_checked(distance)
                && let (Some(to), Some(from)) = (to.first_mut(), from.first())
            {
                add(to, from);
            }
        });
        distance *= 2;
    }
}
