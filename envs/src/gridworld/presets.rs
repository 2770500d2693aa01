//! The registered grid worlds.

use crate::GridWorldConfig;

impl GridWorldConfig {
    /// `GridWorld-4x4-v0`: walls, two pits and one best path between them.
    ///
    /// ```text
    /// S..O
    /// .#..
    /// ..O.
    /// ..#G
    /// ```
    ///
    /// A step costs 0.001, the goal pays 1 and a pit nothing, as a hole of Gymnasium's `FrozenLake`; nothing is random. The
    /// only shortest path is right, right, down, right, down, down: 6 steps, so the optimal return is
    /// 1 − 5·0.001 = 0.995, undiscounted. Limit 100; solved at 0.9, which leaves a policy that still explores some room.
    ///
    /// The rewards are such that no policy but the best is worth settling for. Were a pit punished and a step dear (−1
    /// and −0.01, say), standing still would be safe and some seeds of PPO would learn that.
    #[must_use]
    pub fn four_by_four() -> Self {
        Self { id: "GridWorld-4x4-v0".into(), reward_threshold: Some(0.9), ..Self::default() }
    }

    /// `FourRooms-v0`: four rooms and the hallways between them, from the top left to the bottom right.
    ///
    /// A step costs 0.01 and the goal pays 1; nothing is random. A shortest path takes 20 steps, so the optimal return is
    /// 1 − 19·0.01 = 0.81, undiscounted. Limit 500, within which a uniformly random policy finds the goal in about 28% of
    /// its episodes; solved at 0.7.
    ///
    /// The map is that of Sutton, Precup and Singh 1999, fig. 2, <https://doi.org/10.1016/S0004-3702(99)00052-1>.
    #[must_use]
    pub fn four_rooms() -> Self {
        let map = "\
#############
#S....#.....#
#.....#.....#
#...........#
#.....#.....#
#.....#.....#
##.####.....#
#.....###.###
#.....#.....#
#.....#.....#
#...........#
#.....#....G#
#############";
        Self {
            id: "FourRooms-v0".into(),
            map: map.into(),
            step_reward: -0.01,
            max_episode_steps: Some(500),
            reward_threshold: Some(0.7),
            ..Self::default()
        }
    }

    /// `CliffWalking-v1`: Gymnasium's, with its states as one-hot observations, `[48]`.
    ///
    /// Every step pays −1, the one to the goal too, and one over the cliff −100; the optimal return is −13. As in
    /// Gymnasium it has neither limit nor threshold, so an episode of a policy that avoids the goal does not end:
    /// [`TimeLimit::with_limit`](crate::TimeLimit::with_limit) gives it one.
    ///
    /// Sutton and Barto 2018, example 6.6, <http://incompleteideas.net/book/the-book-2nd.html>;
    /// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/toy_text/cliffwalking.py>.
    #[must_use]
    pub fn cliff_walking() -> Self {
        Self {
            id: "CliffWalking-v1".into(),
            map: "............\n............\n............\nSCCCCCCCCCCG".into(),
            step_reward: -1.0,
            goal_reward: -1.0,
            cliff_reward: -100.0,
            max_episode_steps: None,
            ..Self::default()
        }
    }

    /// `CliffWalkingSlippery-v1`: the same where each of three directions is as likely.
    #[must_use]
    pub fn cliff_walking_slippery() -> Self {
        Self { id: "CliffWalkingSlippery-v1".into(), slip: 2.0 / 3.0, ..Self::cliff_walking() }
    }

    /// The registered grid world of that name, such as `FourRooms-v0`; `None` if no grid world has it.
    #[must_use]
    pub fn registered(id: &str) -> Option<Self> {
        let worlds = [Self::four_by_four, Self::four_rooms, Self::cliff_walking, Self::cliff_walking_slippery];
        worlds.into_iter().map(|world| world()).find(|world| world.id == id)
    }
}
