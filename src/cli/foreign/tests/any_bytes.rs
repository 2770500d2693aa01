//! Whatever a file holds, it is read or refused.

use std::fs;

use proptest::prelude::*;

use super::super::{Foreign, read};
use super::asked;
use crate::{Catalogue, Config};

/// Words and signs of which such files are made, some of them out of place.
const PIECES: [&str; 60] = [
    "CartPole-v1",
    "Pendulum-v1",
    "Ant-v4",
    "default",
    ":",
    ": ",
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "&a",
    " *a",
    "<<",
    "<<: *a",
    "!!float ",
    "!!python/object:os.system ",
    "'",
    "\"",
    "|",
    ">",
    "#",
    "\t",
    "\0",
    "é",
    "\u{feff}",
    "n_timesteps",
    "n_envs",
    "n_steps",
    "batch_size",
    "learning_rate",
    "policy_kwargs",
    "normalize",
    "use_sde",
    "env_wrapper",
    "dict(",
    "net_arch=",
    "activation_fn=nn.ReLU",
    "log_std_init=",
    "lin_",
    "1e400",
    "-1",
    "9223372036854775807",
    "1_000",
    "0x1F",
    ".nan",
    ".inf",
    "null",
    "True",
    "env_id",
    "ENV_NAME",
    "---",
    "%YAML 1.1",
    "...",
];

fn no_bytes_are_too_much(bytes: &[u8]) {
    let home = tempfile::tempdir().expect("a folder");
    for (file, algo, env) in
        [("ppo.yml", None, None), ("a.json", Some("trpo"), Some("Pendulum-v1")), ("b.toml", None, None)]
    {
        let path = home.path().join(file);
        fs::write(&path, bytes).expect("a file");
        // Where nothing of ours is meant all names there are are told.
        match read(&path, &asked(algo, env), &Catalogue::default()) {
            // What it is taken for may be impossible, and is then refused like any file of settings.
            Ok(Some(Foreign { table, notes })) => {
                drop(Config::from_table(table));
                assert!(notes.iter().all(|note| !note.contains('\n')), "{notes:?}");
            }
            Ok(None) => assert_eq!(file, "b.toml"),
            Err(e) => {
                let said = e.to_string();
                // Of TOML the parser's own message stands below a line of ours.
                let lines = if file == "b.toml" { 8 } else { 1 };
                assert!(said.len() < 1500 && said.lines().count() <= lines, "{file}: {said}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        no_bytes_are_too_much(&bytes);
    }

    #[test]
    fn any_pieces_of_such_files_are_read_or_refused(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)) {
        no_bytes_are_too_much(pieces.concat().as_bytes());
    }

    #[test]
    fn any_value_of_a_key_is_read_or_refused(
        key in prop::sample::select(vec![
            "n_envs", "n_steps", "batch_size", "learning_rate", "clip_range", "target_kl", "policy_kwargs", "normalize", "vf_coef",
            "sde_sample_freq", "frame_stack", "seed", "gamma", "n_timesteps",
        ]),
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..8),
    ) {
        no_bytes_are_too_much(format!("Pendulum-v1:\n  {key}: {}\n", pieces.concat()).as_bytes());
    }
}
