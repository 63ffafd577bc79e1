use super::*;
use crate::core::random::Stream;
use crate::validity::adjusted_rand;
use proptest::prelude::*;

/// Four clusters of 50 rows, of which each run sees some rows elsewhere, under numbers of its own.
fn disturbed(run: u64) -> Vec<i32> {
    let draws = Stream::new(run, 7);
    (0..200)
        .map(|row: u64| {
            let cluster =
                if draws.uniform(row) < 0.15 { draws.below(1000 + row, 5) as i32 - 1 } else { row as i32 / 50 };
            if cluster < 0 { NOISE } else { (cluster + run as i32) % 4 }
        })
        .collect()
}

#[test]
fn what_each_run_disturbs_is_restored() {
    let runs: Vec<Vec<i32>> = (0..9).map(disturbed).collect();
    let planted: Vec<i32> = (0..200).map(|row| row / 50).collect();
    let agreed = Consensus::new().of(&runs).unwrap();
    assert_eq!(agreed.clusters(), 4);
    let single = runs.iter().map(|run| adjusted_rand(run, &planted).unwrap()).fold(0.0, f64::max);
    assert!(single < 0.85 && adjusted_rand(agreed.labels(), &planted).unwrap() > 0.97);
    let mean = agreed.membership().iter().sum::<f32>() / 200.0;
    assert!((0.8..0.95).contains(&mean), "the share of runs that agree is about that of rows not disturbed: {mean}");
}

#[test]
fn the_majority_decides_whether_two_clusters_are_one() {
    let (apart, one) = (vec![0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2], vec![0; 12]);
    let of = |apart_runs: usize| {
        let runs: Vec<&[i32]> = (0..5).map(|run| if run < apart_runs { &apart[..] } else { &one[..] }).collect();
        Consensus::new().of(&runs).unwrap()
    };
    assert_eq!(of(2).labels(), [0; 12]);
    // Clusters are numbered from the largest.
    assert_eq!(of(3).labels(), [2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(of(3).membership(), [0.6; 12]);
    // An index at the threshold does not join: neither half is the whole.
    let halves = [vec![0, 0, 1, 1], vec![0, 0, 1, 1], vec![0; 4]];
    assert_eq!(Consensus::new().of(&halves).unwrap().labels(), [0, 0, 1, 1]);
}

#[test]
fn clusters_that_no_two_runs_agree_on_are_noise() {
    let runs: Vec<Vec<i32>> =
        (0..10).map(|run| (0..1000).map(|row| Stream::new(run, 3).below(row, 8) as i32).collect()).collect();
    assert_eq!(Consensus::new().of(&runs).unwrap().clusters(), 0);
    let all = Consensus::new().least_share(0.0).of(&runs).unwrap();
    assert!(all.clusters() > 1 && all.membership().iter().all(|&share| share < 0.6));
}

#[test]
fn small_clusters_that_each_run_joins_otherwise_are_kept() {
    // Six clusters of 20 rows, which five runs join in pairs, each pair once; five rows are noise in most runs.
    let pairings = [[0, 0, 1, 1, 2, 2], [0, 1, 0, 2, 1, 2], [0, 1, 2, 0, 2, 1], [0, 1, 2, 1, 0, 2], [0, 1, 1, 2, 2, 0]];
    let label = |run: usize, row: usize| match row / 20 {
        6 if run < 3 => NOISE,
        6 => 0,
        cluster => pairings[run][cluster],
    };
    let runs: Vec<Vec<i32>> = (0..5).map(|run| (0..125).map(|row| label(run, row)).collect()).collect();
    let agreed = Consensus::new().of(&runs).unwrap();
    let planted: Vec<i32> = (0..125).map(|row| if row < 120 { row / 20 } else { NOISE }).collect();
    assert_eq!(agreed.clusters(), 6);
    assert_eq!(adjusted_rand(agreed.labels(), &planted).unwrap(), 1.0);
    assert!(agreed.labels()[120..].iter().all(|&label| label == NOISE));
    assert!(agreed.membership()[..120].iter().all(|&share| share == 1.0));
    // The first with fewer rows, which is with 20 others in the smallest cluster of all: three eighths of that are needed.
    let first = |rows: usize| {
        let runs: Vec<Vec<i32>> = runs.iter().map(|run| run[20 - rows..].to_vec()).collect();
        Consensus::new().of(&runs).unwrap().labels()[0]
    };
    assert_eq!((first(11), first(12)), (NOISE, 5));
    // What three of five runs have together is one.
    let mut more = runs.clone();
    more[3] = more[0].clone();
    more[4] = more[0].clone();
    assert_eq!(Consensus::new().of(&more).unwrap().clusters(), 3);
}

#[test]
fn absent_rows_count_for_nothing() {
    // Three runs of two rows in three each, over two clusters.
    let runs: Vec<Vec<i32>> =
        (0..3).map(|run| (0..60).map(|row| if row % 3 == run { ABSENT } else { row / 30 }).collect()).collect();
    let agreed = Consensus::new().of(&runs).unwrap();
    assert_eq!(agreed.labels(), (0..60).map(|row| row / 30).collect::<Vec<i32>>());
    assert_eq!(agreed.membership(), [1.0; 60]);
    let again = found_again(agreed.labels(), &[false; 2], &runs);
    assert_eq!(again, vec![vec![Some(1.0); 3]; 2]);
    let never = Consensus::new().of(&[[ABSENT, 0, 0]]).unwrap();
    assert_eq!((never.labels(), never.membership()), (&[NOISE, 0, 0][..], &[0.0, 1.0, 1.0][..]));
}

#[test]
fn found_again_is_the_best_jaccard_index_of_each_run() {
    let judged = [0, 0, 0, 0, 1, 1, -1, 2];
    let run = vec![5, 5, 5, 0, 0, 0, 5, ABSENT];
    // 3 of the 5 rows of either, 2 of 3, and a cluster that the run was given no row of.
    assert_eq!(found_again(&judged, &[false; 3], &[run]), [[Some(0.6)], [Some(2.0 / 3.0)], [None]]);
    // Clusters 3 and 4 of the run have most of their rows in the one that was joined.
    let run = vec![3, 3, 4, 5, 5, 5, 4, 4];
    assert_eq!(found_again(&[0, 0, 0, 0, 1, 1, -1, 0], &[true, false], &[run]), [[Some(4.0 / 6.0)], [Some(2.0 / 3.0)]]);
}

#[test]
fn wrong_settings_and_labels_are_errors() {
    let runs = [vec![0, 1], vec![0, 1]];
    assert!(Consensus::new().threshold(1.0).of(&runs).is_err());
    assert!(Consensus::new().threshold(-0.1).of(&runs).is_err());
    assert!(Consensus::new().threshold(f64::NAN).of(&runs).is_err());
    assert!(Consensus::new().least_share(1.1).of(&runs).is_err());
    assert!(Consensus::new().of(&[] as &[Vec<i32>]).is_err());
    assert!(matches!(Consensus::new().of(&[vec![0, 1], vec![0]]), Err(Error::Shape { .. })));
    assert!(matches!(Consensus::new().of(&[vec![0, -3]]), Err(Error::Label { row: 1, label: -3, .. })));
    assert!(matches!(Consensus::new().of(&[vec![0, i32::MAX]]), Err(Error::Label { row: 1, .. })));
    assert!(Consensus::new().of(&[vec![]]).unwrap().labels().is_empty());
}

proptest! {
    /// Equal runs agree on what they say; rows in another order and other numbers of the clusters change nothing else.
    #[test]
    fn equal_runs_agree_and_order_does_not_matter(
        labels in prop::collection::vec(-1..5i32, 6..60),
        other in prop::collection::vec(-2..5i32, 60),
        key in any::<u64>(),
    ) {
        let n = labels.len();
        let same = Consensus::new().of(&[labels.clone(), labels.clone()]).unwrap();
        prop_assert_eq!(adjusted_rand(same.labels(), &labels).unwrap(), 1.0);
        let runs = [labels.clone(), other[..n].to_vec(), labels.iter().map(|&l| if l < 0 { l } else { 4 - l }).collect()];
        let agreed = Consensus::new().of(&runs).unwrap();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&row| Stream::new(key, 1).bits(row as u64));
        let turned: Vec<Vec<i32>> = runs.iter().map(|run| order.iter().map(|&row| run[row]).collect()).collect();
        let turned = Consensus::new().of(&turned).unwrap();
        let expected: Vec<i32> = order.iter().map(|&row| agreed.labels()[row]).collect();
        prop_assert_eq!(turned.labels(), &expected[..]);
    }
}
