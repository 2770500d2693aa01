//! Whether the environment is what it should be. Write down here what its rules say on paper.

use CRATE::environment::TYPE;
use uphill::envs::{Action, Env, TimeLimit, check_env};

#[test]
fn it_keeps_the_contract() {
    assert_eq!(check_env(|| Ok(TimeLimit::new(TYPE::new(0.3)))), []);
}

#[test]
fn without_heating_the_pipes_freeze() {
    let mut room = TYPE::new(0.3);
    let mut observation = [0.0; 2];
    room.reset(Some(1), &mut observation).expect("a start");
    for _ in 0..100 {
        let step = room.step(Action::Discrete(0), &mut observation).expect("a step");
        if step.end.ended() {
            assert_eq!(step.reward, -10.0);
            return;
        }
    }
    panic!("it is {} after 100 steps without heating", observation[0]);
}
