//! The GPUs of several ranks, through NCCL.

use std::iter::once;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use candle_core::cuda_backend::cudarc::driver::{CudaContext, CudaStream};
use candle_core::cuda_backend::cudarc::nccl::{Comm, Id};
use thiserror::Error;

use super::World;
use crate::{Error, Result};

/// How long a rank is waited for.
const PATIENCE: Duration = Duration::from_secs(600);
/// Bytes of the name that a communicator has among its ranks.
const NAME: usize = 128;

/// The ranks of another world, each with a GPU of its own, whose bytes go from GPU to GPU: over NVLink or InfiniBand where these are.
///
/// The other world is asked once, for the name by which ranks find each other. As any world it moves bytes and does not reckon with
/// them, and so what is learnt is the same, to the bit. What comes to the host on the way costs a copy there and back.
///
/// Communicators belong to the thread that made them: a thread of its own serves this one.
///
/// Source: NVIDIA, NCCL user guide, "Collective operations", `ncclAllGather`,
/// <https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/usage/collectives.html>.
#[derive(Debug)]
pub struct NcclWorld {
    over: Arc<dyn World>,
    gpu: usize,
    patience: Duration,
    /// From the first time on that ranks gather something.
    line: Mutex<Option<Line>>,
}

/// What [`NcclWorld`] fails with, as [`Error::Part`].
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NcclError {
    /// NCCL, or the driver, said so.
    #[error("rank {rank}: NCCL on cuda:{gpu} failed: {problem}; each rank needs a GPU that no other rank has")]
    Failed {
        /// Which one.
        rank: usize,
        /// The number of its GPU.
        gpu: usize,
        /// In its words.
        problem: String,
    },
    /// Another rank has not come.
    #[error("rank {rank}: what ranks have did not come within {seconds} s: one of them hangs, or takes longer")]
    Stuck {
        /// The one that waited.
        rank: usize,
        /// How long.
        seconds: u64,
    },
}

impl From<NcclError> for Error {
    fn from(error: NcclError) -> Self {
        Error::Part(Box::new(error))
    }
}

/// The thread that has the communicator, and what goes to and fro.
#[derive(Debug)]
struct Line {
    ask: Sender<Vec<u8>>,
    hear: Receiver<Result<Vec<Vec<u8>>, String>>,
}

impl NcclWorld {
    /// The ranks of another world; this one has the GPU of this number, counted from 0. Nothing is begun before ranks gather. A rank that
    /// has not come for ten minutes is lost, unless [told otherwise](NcclWorld::with_patience).
    #[must_use]
    pub fn over(world: Arc<dyn World>, gpu: usize) -> Self {
        Self { over: world, gpu, patience: PATIENCE, line: Mutex::default() }
    }

    /// The same with another patience: longer than any rank takes from one message to the next.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn failed(&self, problem: String) -> NcclError {
        NcclError::Failed { rank: self.rank(), gpu: self.gpu, problem }
    }

    /// Begins: the first rank names the communicator, the others are told by the other world.
    fn begin(&self) -> Result<Line> {
        let (rank, size, gpu) = (self.rank(), self.size(), self.gpu);
        // The first rank's, or what it fails with.
        let own = if rank == 0 { own_name() } else { Vec::new() };
        let name = self.over.gather(&own)?.into_iter().next().unwrap_or_default();
        let Ok(name) = <[u8; NAME]>::try_from(&name[..]) else {
            return Err(self.failed(format!("the first rank has none: {}", String::from_utf8_lossy(&name))).into());
        };
        let (ask, asked) = channel::<Vec<u8>>();
        let (tell, hear) = channel();
        let serve = move || {
            let ranks = match Ranks::new(name, (rank, size), gpu) {
                Ok(ranks) => ranks,
                // Nobody hears it where the world is gone already.
                Err(problem) => return drop(tell.send(Err(problem))),
            };
            for own in asked {
                if tell.send(ranks.gather(&own)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name(format!("nccl {rank}"));
        thread.spawn(serve).map_err(|e| self.failed(e.to_string()))?;
        Ok(Line { ask, hear })
    }
}

impl World for NcclWorld {
    fn rank(&self) -> usize {
        self.over.rank()
    }

    fn size(&self) -> usize {
        self.over.size()
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let Line { ask, hear } = match line.take() {
            Some(line) => line,
            None => self.begin()?,
        };
        // Where its thread has ended, hearing says so.
        let _ = ask.send(own.to_vec());
        let all = match hear.recv_timeout(self.patience) {
            Ok(all) => all.map_err(|problem| self.failed(problem))?,
            Err(RecvTimeoutError::Timeout) => {
                return Err(NcclError::Stuck { rank: self.rank(), seconds: self.patience.as_secs() }.into());
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(self.failed("the thread that serves it has ended".into()).into());
            }
        };
        *line = Some(Line { ask, hear });
        Ok(all)
    }
}

/// The name of a new communicator; where there is none, why.
fn own_name() -> Vec<u8> {
    match Id::new() {
        Ok(id) => id.internal().iter().map(|&byte| byte as u8).collect(),
        Err(problem) => format!("{problem:?}").into_bytes(),
    }
}

/// A communicator, and the stream that its work is in.
struct Ranks {
    comm: Comm,
    stream: Arc<CudaStream>,
    size: usize,
}

impl Ranks {
    /// Begins the communicator of that name, when all ranks do.
    fn new(name: [u8; NAME], (rank, size): (usize, usize), gpu: usize) -> Result<Self, String> {
        let stream = CudaContext::new(gpu).and_then(|context| context.new_stream()).map_err(|e| e.to_string())?;
        let id = Id::uninit(name.map(|byte| byte as _));
        let comm = Comm::from_rank(stream.clone(), rank, size, id).map_err(|e| format!("{e:?}"))?;
        Ok(Self { comm, stream, size })
    }

    /// As many bytes of each rank, one rank's after another's.
    fn gather_equal(&self, own: &[u8]) -> Result<Vec<u8>, String> {
        let of_driver = |e: candle_core::cuda_backend::cudarc::driver::DriverError| e.to_string();
        let sent = self.stream.clone_htod(own).map_err(of_driver)?;
        let mut all = self.stream.alloc_zeros::<u8>(own.len() * self.size).map_err(of_driver)?;
        self.comm.all_gather(&sent, &mut all).map_err(|e| format!("{e:?}"))?;
        self.stream.clone_dtoh(&all).map_err(of_driver)
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let sizes = self.gather_equal(&(own.len() as u64).to_le_bytes())?;
        let sizes = sizes.as_chunks().0.iter().map(|&size| u64::from_le_bytes(size) as usize);
        let most = sizes.clone().max().unwrap_or(0);
        if most == 0 {
            return Ok(vec![Vec::new(); self.size]);
        }
        let padded: Vec<u8> = own.iter().copied().chain(once(0).cycle()).take(most).collect();
        let all = self.gather_equal(&padded)?;
        Ok(all.chunks_exact(most).zip(sizes).map(|(bytes, size)| bytes[..size].to_vec()).collect())
    }
}
