use rand::RngExt;
use uphill_envs::End;

use super::{Episodes, LONGEST, Rollout};
use crate::Seed;
use crate::arrays::Arrays;
use crate::metrics::History;

/// A row of steps, each with its reward, in which these lanes end their episodes.
fn row(rewards: &[f32], ends: &[bool]) -> Rollout {
    let lanes = rewards.len();
    let end = ends.iter().map(|&ends| if ends { End::Terminated } else { End::Not }).collect();
    Rollout { reward: rewards.to_vec(), end, valid: vec![true; lanes], ..Rollout::new(lanes, 0) }
}

fn returns(episodes: &Episodes) -> Vec<f64> {
    episodes.counted().iter().map(|episode| episode.episode_return).collect()
}

#[test]
fn episodes_count_in_the_order_in_which_they_began() {
    let mut episodes = Episodes::new(2, true);
    let mut after = |rewards: [f32; 2], ends: [bool; 2]| {
        episodes.follow(&row(&rewards, &ends));
        (returns(&episodes), episodes.ended())
    };
    assert_eq!(after([1.0, 0.0], [true, false]), (vec![], 1), "the other lane's began as soon");
    assert_eq!(after([2.0, 0.0], [true, false]), (vec![], 2));
    assert_eq!(after([0.0, 7.0], [false, true]), (vec![1.0, 7.0, 2.0], 3), "all that began before row 2");
    assert_eq!(after([0.0, 3.0], [false, true]), (vec![], 4));
    assert_eq!(after([4.0, 0.0], [true, false]), (vec![4.0, 3.0], 5));
    let last = episodes.counted().last().expect("an episode");
    assert_eq!((last.length, last.env_steps), (1, 10), "it counts from the step on at which it could");
}

#[test]
fn lanes_that_wait_for_others_begin_when_they_go_on() {
    let mut episodes = Episodes::new(2, true);
    let whole = |rewards: [f32; 4], ends: [bool; 4], valid: [bool; 4]| {
        let rows = [row(&rewards[..2], &ends[..2]), row(&rewards[2..], &ends[2..])];
        let [first, second] = rows.map(|row| (row.reward, row.end));
        let (reward, end) = ([first.0, second.0].concat(), [first.1, second.1].concat());
        Rollout { reward, end, valid: valid.to_vec(), ..Rollout::new(2, 0) }
    };
    // The first lane plays one step and waits, the second two.
    let rollout = whole([1.0, 2.0, 9.0, 3.0], [true, false, false, true], [true, true, false, true]);
    episodes.follow(&rollout);
    assert_eq!((returns(&episodes), episodes.env_steps()), (vec![1.0, 5.0], 3));
    episodes.follow(&rollout);
    assert_eq!((returns(&episodes), episodes.env_steps()), (vec![1.0, 5.0], 6));
}

/// Half of all episodes take 2 steps and return 1, half take 20 and return 0: what the mean is after so many rows, from
/// many runs of this many lanes, with its standard error.
fn means(lanes: usize, runs: u64, rows: &[usize]) -> Vec<Option<(f64, f64)>> {
    let mut found = vec![Vec::new(); rows.len()];
    for run in 0..runs {
        let mut rng = Seed(run).stream("lengths", lanes as u64);
        let (mut episodes, mut history) = (Episodes::new(lanes, true), History::new(None));
        let (mut left, mut lucky) = (vec![0; lanes], vec![false; lanes]);
        for t in 1..=*rows.last().expect("a row") {
            for lane in (0..lanes).filter(|&lane| left[lane] == 0).collect::<Vec<_>>() {
                lucky[lane] = rng.random();
                left[lane] = if lucky[lane] { 2 } else { 20 };
            }
            left.iter_mut().for_each(|left| *left -= 1);
            let ends: Vec<bool> = left.iter().map(|&left| left == 0).collect();
            let reward = |lane: usize| f32::from(u8::from(ends[lane] && lucky[lane]));
            episodes.follow(&row(&(0..lanes).map(reward).collect::<Vec<_>>(), &ends));
            history.follow(&episodes);
            if let Some(place) = rows.iter().position(|&row| row == t) {
                found[place].extend(history.return_mean());
            }
        }
    }
    let moments = |means: &Vec<f64>| {
        let n = means.len() as f64;
        let mean = means.iter().sum::<f64>() / n;
        let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (means.len() as u64 == runs).then_some((mean, (variance / n).sqrt()))
    };
    found.iter().map(moments).collect()
}

#[test]
fn a_mean_does_not_prefer_short_episodes() {
    // Of the first 100 that end, all are short ones; of one lane's first n, given n, each is as good as its first.
    for (lanes, runs, slack) in [(1, 1_000, 0.0), (4, 500, 0.04), (64, 40, 0.01), (256, 20, 0.01)] {
        let rows = [20, 24, 30, 39, 50, 100];
        for (rows, moments) in rows.iter().zip(means(lanes, runs, &rows)) {
            let (mean, error) = moments.expect("every lane has ended an episode");
            let off = (mean - 0.5).abs();
            assert!(off <= slack + 4.5 * error, "{lanes} lanes, {rows} rows: {mean} ± {error}");
        }
    }
    assert_eq!(means(64, 20, &[2, 19]), [None, None], "some lane has ended none");
}

#[test]
fn an_episode_that_no_limit_ends_makes_every_mean_unknown() {
    for (has_limit, known) in [(true, true), (false, false)] {
        let (mut episodes, mut history) = (Episodes::new(2, has_limit), History::new(Some(0.5)));
        let mut follow = |ends: [bool; 2]| {
            episodes.follow(&row(&[1.0, 1.0], &ends));
            history.follow(&episodes);
            (history.return_mean().is_some(), history.solved_at_step(), history.episodes())
        };
        assert_eq!(follow([true, true]), (true, None, 2));
        (0..LONGEST).for_each(|_| assert!(follow([true, false]).0));
        assert_eq!(follow([true, false]), (known, None, 3 + u64::from(LONGEST)));
        let (known, solved, _) = follow([false, true]);
        assert!(known && solved.is_some(), "the episode counts, and those that waited for it");
    }
}

#[test]
fn what_waits_is_bounded_and_what_is_left_out_is_so_from_its_beginning() {
    let mut episodes = Episodes::new(2, true);
    let room = episodes.room();
    for _ in 0..room + 50 {
        episodes.follow(&row(&[1.0, 0.0], &[true, false]));
    }
    assert_eq!((episodes.held.len(), episodes.ended()), (room, room as u64 + 50));
    episodes.follow(&row(&[1.0, 5.0], &[false, true]));
    assert_eq!(returns(&episodes).len(), room + 1);
    assert_eq!(returns(&episodes)[1], 5.0, "the one that the others waited for began with the first");
    episodes.follow(&row(&[1.0, 6.0], &[true, true]));
    assert_eq!(returns(&episodes), [6.0], "the first lane's had begun while there was no room");
    episodes.follow(&row(&[3.0, 6.0], &[true, true]));
    assert_eq!(returns(&episodes), [3.0, 6.0]);
}

#[test]
fn lanes_that_do_not_go_on_take_with_them_what_waited_for_them() {
    let mut episodes = Episodes::new(2, true);
    episodes.follow(&row(&[1.0, 0.0], &[true, false]));
    let mut arrays = Arrays::default();
    episodes.save(&mut arrays);
    let restored = |lanes_go_on| {
        let mut other = Episodes::new(2, true);
        other.restore(&arrays, (2, 1), lanes_go_on).expect("a state");
        other.follow(&row(&[4.0, 5.0], &[true, true]));
        (returns(&other), other.env_steps(), other.ended())
    };
    assert_eq!(restored(true), (vec![1.0, 5.0, 4.0], 4, 3));
    assert_eq!(restored(false), (vec![4.0, 5.0], 4, 3));
    arrays.put("held.lane", vec![2u64]);
    let error = Episodes::new(2, true).restore(&arrays, (2, 1), true).expect_err("forged").to_string();
    assert!(error.contains("a lane that is none of 2"), "{error}");
    arrays.put("held.lane", vec![0u64]);
    arrays.put("held.began", vec![1u64]);
    let error = Episodes::new(2, true).restore(&arrays, (2, 1), true).expect_err("forged").to_string();
    assert!(error.contains("began in row 1 of 1"), "{error}");
}
