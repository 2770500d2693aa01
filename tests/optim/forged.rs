//! Checkpoints whose optimizer state is whole, and yet not that of the optimizer.

use safetensors::tensor::{SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use uphill::{Checkpoint, Config, Error, Trainer};

use crate::properties::every_row;

/// The checkpoint with the bytes of one array replaced by so many numbers, and the checksum that it should have then.
fn with_length(bytes: &[u8], name: &str, len: usize) -> Vec<u8> {
    let (_, header) = SafeTensors::read_metadata(bytes).expect("a header");
    let metadata = header.metadata().clone().expect("an entry");
    let tensors = SafeTensors::deserialize(bytes).expect("tensors");
    let sized: Vec<(String, Vec<u8>, Vec<usize>, _)> = tensors
        .iter()
        .map(|(key, view)| {
            let (mut data, mut shape, dtype) = (view.data().to_vec(), view.shape().to_vec(), view.dtype());
            if key == name {
                data.resize(len * dtype.bitsize() / 8, 0);
                shape = vec![len];
            }
            (key.to_string(), data, shape, dtype)
        })
        .collect();
    let views = sized.iter().map(|(key, data, shape, dtype)| {
        (key.clone(), TensorView::new(*dtype, shape.clone(), data).expect("as many bytes as numbers"))
    });
    let mut forged = safetensors::serialize(views, Some(metadata)).expect("a file");
    let place = forged.windows(6).position(|window| window == b"sha256").expect("a place") + r#"sha256\":\""#.len();
    forged[place..place + 64].fill(b'0');
    let hex: String = Sha256::digest(&forged).iter().map(|byte| format!("{byte:02x}")).collect();
    forged[place..place + 64].copy_from_slice(hex.as_bytes());
    forged
}

#[test]
fn state_of_another_length_is_refused_by_name() {
    let more = ["partition('*', lookahead(adam))", "trac(accumulate(2, adam))", "lookahead(amsgrad, k=2)"];
    let specs = more.map(String::from).into_iter().chain(every_row());
    for spec in specs {
        let optimizer = spec.parse().expect("a spec");
        let small = Config { env: "GridWorld-4x4-v0".into(), ..Config::for_algo("a2c").expect("defaults") };
        let config = Config { optimizer, hidden: vec![3], envs: 2, n_steps: 4, steps: 24, ..small };
        let mut trainer = Trainer::new(&config).unwrap_or_else(|error| panic!("{spec}: {error}"));
        while trainer.step().unwrap_or_else(|error| panic!("{spec}: {error}")).is_some() {}
        let bytes = trainer.checkpoint().and_then(|checkpoint| checkpoint.to_bytes()).expect("a file");
        let resumed = |bytes: &[u8]| {
            let mut trainer = Trainer::resume(&Checkpoint::from_bytes(bytes)?)?;
            trainer.step()?;
            trainer.into_policy().map(drop)
        };
        resumed(&bytes).unwrap_or_else(|error| panic!("{spec}: {error}"));
        let tensors = SafeTensors::deserialize(&bytes).expect("tensors");
        let vectors = tensors.iter().filter(|(name, view)| {
            let counted = ["steps", "calls", "update", "count", "rng", "zeroed"].iter().any(|end| name.ends_with(end));
            name.starts_with("optimizer.") && !counted && view.shape()[0] > 1
        });
        for (name, view) in vectors {
            let whole = view.shape()[0];
            // Of a link without a count, state that is gone is state before the first step.
            let empty = resumed(&with_length(&bytes, name, 0));
            assert!(matches!(empty, Ok(()) | Err(Error::Checkpoint(_))), "{spec}: {name} [0]: {empty:?}");
            assert!(empty.is_err() || !more.contains(&&*spec), "{spec}: {name} [0]");
            for len in [1, whole - 1, whole + 1] {
                let refused = resumed(&with_length(&bytes, name, len)).expect_err(&format!("{spec}: {name} [{len}]"));
                let text = refused.to_string();
                assert!(
                    matches!(refused, Error::Checkpoint(_)) && text.contains(name),
                    "{spec}: {name} [{len}]: {text}"
                );
            }
        }
    }
}
