//! Every environment by its name: one row each.

#[cfg(feature = "gym-rs")]
use gym_rs::{
    envs::classical_control::{cartpole::CartPoleEnv, mountain_car::MountainCarEnv},
    utils::renderer::RenderMode,
};

#[cfg(feature = "gym-rs")]
use crate::GymRs;
use crate::{
    Acrobot, Asterix, Blackjack, Breakout, CartPole, Columns, DmAcrobot, DmCartPole, DmControl, DmPendulum, Env,
    EnvError, Freeway, FrozenLake, FrozenLakeConfig, GridWorld, GridWorldConfig, Lanes, MinAtar, MinAtarConfig,
    MountainCar, MountainCarContinuous, Pendulum, Seaquest, SpaceInvaders, Taxi, TimeLimit, VecEnv, WithoutVelocity,
    nearest, quoted,
};

/// One registered environment.
struct Registered {
    id: &'static str,
    summary: &'static str,
    make: fn() -> Result<Box<dyn Env>, EnvError>,
    make_vec: fn(usize) -> Result<Box<dyn VecEnv>, EnvError>,
}

/// A row from an expression that makes the environment, or fails to. The lanes of a vector are of its very type, so a
/// step of theirs is compiled without a virtual call. After the word `columns` the environment is one with
/// [`Dynamics`](crate::Dynamics), and its vectors keep their state in [`Columns`].
macro_rules! row {
    ($id:literal, $summary:literal, columns $env:expr) => {
        row!(@ $id, $summary, $env, |lanes| Ok(Box::new(Columns::new($env?, lanes)?)))
    };
    ($id:literal, $summary:literal, $env:expr) => {
        row!(@ $id, $summary, $env, |lanes| {
            let envs = (0..lanes).map(|_| Ok(TimeLimit::new($env?))).collect::<Result<Vec<_>, EnvError>>()?;
            Ok(Box::new(Lanes::new(envs)?))
        })
    };
    (@ $id:literal, $summary:literal, $env:expr, $make_vec:expr) => {
        Registered {
            id: $id,
            summary: $summary,
            make: || {
                let env = $env?;
                Ok(Box::new(TimeLimit::new(env)))
            },
            make_vec: $make_vec,
        }
    };
}

const ROWS: &[Registered] = &[
    row!("CartPole-v1", "balance a pole on a cart; Gymnasium's", columns Ok::<_, EnvError>(CartPole::new())),
    row!(
        "MountainCar-v0",
        "rock a car up a hill; Gymnasium's",
        columns Ok::<_, EnvError>(MountainCar::new())
    ),
    row!(
        "MountainCarContinuous-v0",
        "the same by pushes that cost; Gymnasium's",
        Ok::<_, EnvError>(MountainCarContinuous::new())
    ),
    row!(
        "Acrobot-v1",
        "swing two links up; Gymnasium's",
        columns Ok::<_, EnvError>(Acrobot::new())
    ),
    row!("Pendulum-v1", "swing a pendulum up by a torque; Gymnasium's", Ok::<_, EnvError>(Pendulum::new())),
    row!("GridWorld-4x4-v0", "4 x 4 cells, a goal, two pits", GridWorld::new(GridWorldConfig::four_by_four())),
    row!("FourRooms-v0", "13 x 13 cells, four rooms, one goal", GridWorld::new(GridWorldConfig::four_rooms())),
    row!("CliffWalking-v1", "a walk along a cliff; Gymnasium's", GridWorld::new(GridWorldConfig::cliff_walking())),
    row!(
        "CliffWalkingSlippery-v1",
        "the same, slippery; Gymnasium's",
        GridWorld::new(GridWorldConfig::cliff_walking_slippery())
    ),
    row!(
        "FrozenLake-v1",
        "4 x 4 cells of slippery ice, four holes; Gymnasium's",
        FrozenLake::new(FrozenLakeConfig::default())
    ),
    row!(
        "FrozenLake8x8-v1",
        "8 x 8 cells of slippery ice, ten holes; Gymnasium's",
        FrozenLake::new(FrozenLakeConfig::eight_by_eight())
    ),
    row!("Taxi-v3", "fetch a passenger, bring them home; Gymnasium's", Ok::<_, EnvError>(Taxi::v3())),
    row!("Taxi-v4", "the same under the name of Gymnasium 1.3", Ok::<_, EnvError>(Taxi::v4())),
    row!("Blackjack-v1", "come closer to 21 than the dealer; Gymnasium's", Ok::<_, EnvError>(Blackjack::new())),
    row!("CartPoleNoVelocity-v0", "CartPole-v1 whose velocities are hidden", WithoutVelocity::cart_pole()),
    row!("MountainCarNoVelocity-v0", "MountainCar-v0 whose velocity is hidden", WithoutVelocity::mountain_car()),
    row!("PendulumNoVelocity-v0", "Pendulum-v1 whose velocity is hidden", WithoutVelocity::pendulum()),
    row!(
        "MinAtar/Asterix-v1",
        "pick up treasure, keep away from enemies; MinAtar's",
        MinAtar::<Asterix>::new(MinAtarConfig::default())
    ),
    row!(
        "MinAtar/Breakout-v1",
        "break bricks with a ball; MinAtar's",
        MinAtar::<Breakout>::new(MinAtarConfig::default())
    ),
    row!("MinAtar/Freeway-v1", "cross a road; MinAtar's", MinAtar::<Freeway>::new(MinAtarConfig::default())),
    row!(
        "MinAtar/Seaquest-v1",
        "shoot enemies, rescue divers, mind the air; MinAtar's",
        MinAtar::<Seaquest>::new(MinAtarConfig::default())
    ),
    row!(
        "MinAtar/SpaceInvaders-v1",
        "shoot aliens before they land; MinAtar's",
        MinAtar::<SpaceInvaders>::new(MinAtarConfig::default())
    ),
    row!(
        "MinAtar/Asterix-v0",
        "pick up treasure, keep away from enemies, by all six actions; MinAtar's",
        MinAtar::<Asterix>::new(MinAtarConfig { all_actions: true, ..MinAtarConfig::default() })
    ),
    row!(
        "MinAtar/Breakout-v0",
        "break bricks with a ball, by all six actions; MinAtar's",
        MinAtar::<Breakout>::new(MinAtarConfig { all_actions: true, ..MinAtarConfig::default() })
    ),
    row!(
        "MinAtar/Freeway-v0",
        "cross a road, by all six actions; MinAtar's",
        MinAtar::<Freeway>::new(MinAtarConfig { all_actions: true, ..MinAtarConfig::default() })
    ),
    row!(
        "MinAtar/Seaquest-v0",
        "shoot enemies, rescue divers, mind the air, by all six actions; MinAtar's",
        MinAtar::<Seaquest>::new(MinAtarConfig { all_actions: true, ..MinAtarConfig::default() })
    ),
    row!(
        "MinAtar/SpaceInvaders-v0",
        "shoot aliens before they land, by all six actions; MinAtar's",
        MinAtar::<SpaceInvaders>::new(MinAtarConfig { all_actions: true, ..MinAtarConfig::default() })
    ),
    row!(
        "dm_control/acrobot-swingup-v0",
        "bring the tip of two arms to a target above; dm_control's",
        Ok::<_, EnvError>(DmControl::new(DmAcrobot::swingup()))
    ),
    row!(
        "dm_control/acrobot-swingup_sparse-v0",
        "the same, paid only in the target; dm_control's",
        Ok::<_, EnvError>(DmControl::new(DmAcrobot::swingup_sparse()))
    ),
    row!(
        "dm_control/cartpole-balance-v0",
        "keep a pole upright by pushing its cart; dm_control's",
        Ok::<_, EnvError>(DmControl::new(DmCartPole::balance()))
    ),
    row!(
        "dm_control/cartpole-balance_sparse-v0",
        "the same, paid only upright in the middle; dm_control's",
        Ok::<_, EnvError>(DmControl::new(DmCartPole::balance_sparse()))
    ),
    row!(
        "dm_control/cartpole-swingup-v0",
        "swing a pole up by pushing its cart; dm_control's",
        Ok::<_, EnvError>(DmControl::new(DmCartPole::swingup()))
    ),
    row!(
        "dm_control/cartpole-swingup_sparse-v0",
        "the same, paid only upright in the middle; dm_control's",
        Ok::<_, EnvError>(DmControl::new(DmCartPole::swingup_sparse()))
    ),
    row!(
        "dm_control/pendulum-swingup-v0",
        "swing a pendulum up, paid only upright; dm_control's",
        Ok::<_, EnvError>(DmControl::new(DmPendulum::swingup()))
    ),
    // The limits are those that gym-rs's own pages give. Its cart-pole has no threshold: it often starts fallen.
    #[cfg(feature = "gym-rs")]
    row!(
        "gym-rs/CartPole-v0",
        "gym-rs's cart-pole, which is not Gymnasium's",
        GymRs::new("gym-rs/CartPole-v0", Some(500), None, || CartPoleEnv::new(RenderMode::None))
    ),
    #[cfg(feature = "gym-rs")]
    row!(
        "gym-rs/MountainCar-v0",
        "gym-rs's car between two hills",
        GymRs::new("gym-rs/MountainCar-v0", Some(200), Some(-110.0), || MountainCarEnv::new(RenderMode::None))
    ),
];

/// The names of all registered environments.
pub fn ids() -> impl ExactSizeIterator<Item = &'static str> {
    ROWS.iter().map(|row| row.id)
}

/// Name and summary of every registered environment.
pub fn rows() -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
    ROWS.iter().map(|row| (row.id, row.summary))
}

/// One line on what an environment is.
///
/// # Errors
/// [`EnvError::Unknown`] if no environment has that name.
pub fn summary(id: &str) -> Result<&'static str, EnvError> {
    find(id).map(|row| row.summary)
}

/// The environment of that name, within the [`TimeLimit`] of its [`Spec`](crate::Spec).
///
/// # Errors
/// [`EnvError::Unknown`] if no environment has that name.
pub fn make(id: &str) -> Result<Box<dyn Env>, EnvError> {
    (find(id)?.make)()
}

/// `lanes` environments of that name, each within its [`TimeLimit`].
///
/// # Errors
/// [`EnvError::Unknown`] if no environment has that name, [`EnvError::Option`] for no lanes.
pub fn make_vec(id: &str, lanes: usize) -> Result<Box<dyn VecEnv>, EnvError> {
    (find(id)?.make_vec)(lanes)
}

fn find(id: &str) -> Result<&'static Registered, EnvError> {
    ROWS.iter().find(|row| row.id == id).ok_or_else(|| unknown(id, ids()))
}

/// What is said of a name that is none of the known ones.
pub fn unknown<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> EnvError {
    let known: Vec<&str> = known.collect();
    // A likeness takes time in proportion to both lengths.
    let id = quoted(id);
    EnvError::Unknown { nearest: nearest(&id, known.iter().copied()).map(Into::into), id, known: known.join(", ") }
}
