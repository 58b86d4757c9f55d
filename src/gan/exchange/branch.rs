//! A process's place in the tree of a batch.

use std::ops::Range;

use crate::simd::LANE_GROUP;

/// A process's place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Branch {
    /// Its shards.
    pub(super) shards: Range<usize>,
    /// The processes to which it hands down what comes from the first, the one with the most below it last.
    pub(super) children: Vec<usize>,
    /// The process that hands it down to this one; none has the first.
    pub(super) parent: Option<usize>,
}

/// A process's part in the adding of sums. Where the number of processes is no power of two, some are pairs, of which one works for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The second of a pair, which leaves its sums to the first.
    Second {
        /// That one.
        first: usize,
    },
    /// Any other process.
    Partner {
        /// The second of its pair.
        second: Option<usize>,
        /// The processes with which it adds, from the nearest in the tree to the farthest.
        partners: Vec<usize>,
    },
}

impl Branch {
    /// The place of `process` of `processes`, at most `shards`, which is a power of two.
    pub(super) fn new(process: usize, processes: usize, shards: usize) -> Self {
        let (mut shards, mut members) = (0..shards, 0..processes);
        let (mut children, mut parent) = (Vec::new(), None);
        while members.len() > 1 {
            let border = border(&members);
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

impl Part {
    /// The part of `process` of `processes`.
    pub(super) fn new(process: usize, processes: usize) -> Self {
        // The halves of a group differ by one process at most, so that all groups of the last level have one or two.
        let levels = processes.ilog2();
        let (mut members, mut group) = (0..processes, 0);
        for _ in 0..levels {
            let border = border(&members);
            let is_right = process >= border;
            members = if is_right { border..members.end } else { members.start..border };
            group = 2 * group + usize::from(is_right);
        }
        if process != members.start {
            return Self::Second { first: members.start };
        }
        let partners = (0..levels).map(|level| group_start(group ^ 1 << level, levels, processes)).collect();
        Self::Partner { second: (members.len() > 1).then_some(process + 1), partners }
    }

    /// The numbers of others for which it needs room where `len` are added.
    pub(super) fn room(&self, len: usize) -> usize {
        match self {
            Self::Second { .. } => 0,
            Self::Partner { second: Some(_), .. } => len,
            Self::Partner { second: None, partners } => {
                if partners.is_empty() {
                    0
                } else {
                    half(len)
                }
            }
        }
    }
}

/// The numbers of the left half of `len`, which are not fewer than those of the right one: whole groups of lanes.
pub(super) fn half(len: usize) -> usize {
    (len / 2).next_multiple_of(LANE_GROUP).min(len)
}

/// The first process of a group of the last level, whose number tells right from left on the way to it.
fn group_start(group: usize, levels: u32, processes: usize) -> usize {
    let mut members = 0..processes;
    for level in (0..levels).rev() {
        let border = border(&members);
        members = if group >> level & 1 == 1 { border..members.end } else { members.start..border };
    }
    members.start
}

/// The first process of the right half of a group: the larger half has the left half of the shards.
fn border(members: &Range<usize>) -> usize {
    members.start + members.len().div_ceil(2)
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

    /// As many processes as a power of two add in pairs that are as far from each other as the level of the tree; of others, some are pairs,
    /// of which the first adds.
    #[test]
    fn processes_add_with_partners() {
        let partner = |second, partners: &[usize]| Part::Partner { second, partners: partners.to_vec() };
        let parts = |processes| (0..processes).map(|process| Part::new(process, processes)).collect::<Vec<_>>();
        assert_eq!(parts(1), [partner(None, &[])]);
        assert_eq!(parts(3), [partner(Some(1), &[2]), Part::Second { first: 0 }, partner(None, &[0])]);
        assert_eq!(parts(4), [[1, 2], [0, 3], [3, 0], [2, 1]].map(|partners| partner(None, &partners)));
        for processes in 1..200 {
            let parts = parts(processes);
            let seconds = parts.iter().filter(|part| matches!(part, Part::Second { .. })).count();
            assert_eq!(processes - seconds, 1 << processes.ilog2(), "{processes}");
            for (process, part) in parts.iter().enumerate() {
                match part {
                    Part::Second { first } => {
                        assert!(
                            matches!(parts[*first], Part::Partner { second: Some(second), .. } if second == process)
                        );
                    }
                    // Each is the partner of its partner in the same round.
                    Part::Partner { partners, .. } => {
                        for (round, other) in partners.iter().enumerate() {
                            let Part::Partner { partners, .. } = &parts[*other] else {
                                panic!("{process} of {processes}")
                            };
                            assert_eq!(partners[round], process, "{processes}");
                        }
                    }
                }
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
