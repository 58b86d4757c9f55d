//! A process's place in the tree of a batch.

use std::ops::Range;

/// A process's place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// Its shards.
    pub(super) shards: Range<usize>,
    /// The processes whose sums it adds to its own, one after the other.
    pub(super) children: Vec<usize>,
    /// The process that it sends its sums to; none has the first.
    pub(super) parent: Option<usize>,
}

impl Branch {
    /// The place of `process` of `processes`, at most `shards`, which is a power of two.
    pub(super) fn new(process: usize, processes: usize, shards: usize) -> Self {
        let (mut shards, mut members) = (0..shards, 0..processes);
        let (mut children, mut parent) = (Vec::new(), None);
        while members.len() > 1 {
            // The larger half of the processes has the left half of the shards.
            let border = members.start + members.len().div_ceil(2);
            let middle = shards.start + shards.len() / 2;
            if process < border {
                if process == members.start {
                    children.insert(0, border);
                }
                (shards, members) = (shards.start..middle, members.start..border);
            } else {
                if process == border {
                    parent = Some(members.start);
                }
                (shards, members) = (middle..shards.end, border..members.end);
            }
        }
        Self { shards, children, parent }
    }
}

/// The shards on which `process` of `processes` works, of so many.
#[cfg(feature = "internals")]
pub(crate) fn shards_of(process: usize, processes: usize, shards: usize) -> Range<usize> {
    Branch::new(process, processes, shards).shards
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every process has a subtree, all shards are somebody's, and sums go to who would add them.
    #[test]
    fn processes_have_subtrees() {
        for shards in (0..8).map(|power| 1 << power) {
            for processes in 1..=shards {
                let branches: Vec<Branch> =
                    (0..processes).map(|process| Branch::new(process, processes, shards)).collect();
                let mut next = 0;
                for (process, branch) in branches.iter().enumerate() {
                    let range = branch.shards.clone();
                    assert_eq!(range.start, next, "{processes} of {shards}");
                    assert!(range.len().is_power_of_two() && range.start.is_multiple_of(range.len()));
                    next = range.end;
                    assert_eq!(branch.parent.is_none(), process == 0);
                    // What a child covers begins where the process's own, and its children's before it, end.
                    let mut covered = range;
                    for child in &branch.children {
                        assert_eq!(branches[*child].parent, Some(process));
                        let of_child = below(&branches, *child);
                        assert_eq!((of_child.start, of_child.len()), (covered.end, covered.len()));
                        covered.end = of_child.end;
                    }
                }
                assert_eq!(next, shards);
            }
        }
    }

    /// The shards of a process and of all below it.
    fn below(branches: &[Branch], process: usize) -> Range<usize> {
        let branch = &branches[process];
        let end = branch.children.last().map_or(branch.shards.end, |child| below(branches, *child).end);
        branch.shards.start..end
    }
}
