//! Instruments that go together.

/// Groups of `members`, indices into a correlation matrix of `wide` columns, linked at `threshold` or above.
///
/// Single linkage: two instruments that are linked to a third are in its group, linked to each other or not. Groups and
/// their members come in ascending order.
#[must_use]
pub fn clusters(correlation: &[f64], wide: usize, members: &[usize], threshold: f64) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..members.len()).collect();
    for (a, &first) in members.iter().enumerate() {
        for (b, &second) in members.iter().enumerate().skip(a + 1) {
            if correlation[first * wide + second] >= threshold {
                let (kept, joined) = (group[a].min(group[b]), group[a].max(group[b]));
                group.iter_mut().filter(|of| **of == joined).for_each(|of| *of = kept);
            }
        }
    }
    let of =
        |wanted: usize| members.iter().zip(&group).filter(move |(_, of)| **of == wanted).map(|(member, _)| *member);
    (0..members.len()).map(|wanted| of(wanted).collect::<Vec<_>>()).filter(|found| !found.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_group_and_only_members_count() {
        let mut correlation = vec![0.0; 16];
        for (i, j) in [(0, 2), (2, 3)] {
            correlation[i * 4 + j] = 0.8;
            correlation[j * 4 + i] = 0.8;
        }
        assert_eq!(clusters(&correlation, 4, &[0, 1, 2, 3], 0.8), vec![vec![0, 2, 3], vec![1]]);
        assert_eq!(clusters(&correlation, 4, &[0, 1, 3], 0.8), vec![vec![0], vec![1], vec![3]]);
        assert_eq!(clusters(&correlation, 4, &[0, 2], 0.81), vec![vec![0], vec![2]]);
        assert!(clusters(&correlation, 4, &[], 0.5).is_empty());
    }
}
