//! Where tensors live: `cpu`, `cuda`, `cuda:1`, `metal`, `auto`.

use std::fmt;
use std::str::FromStr;

use candle_core::{DType, Device, Tensor};
use thiserror::Error;

/// What sums over many numbers are reckoned in: f64, as on the host; f32 where a device has no other.
pub(crate) fn wide(x: &Tensor) -> candle_core::Result<Tensor> {
    x.to_dtype(if x.device().is_metal() { DType::F32 } else { DType::F64 })
}

/// A device by name, not opened yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The processor; every build has it.
    #[default]
    Cpu,
    /// The NVIDIA GPU of this number, counted from 0.
    Cuda(usize),
    /// The Apple GPU of this number, counted from 0.
    Metal(usize),
    /// The first GPU that this build and machine have, else the processor.
    Auto,
}

/// Why a device cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Not the name of a device.
    #[error("`{0}` is no device: use cpu, cuda, cuda:N, metal, metal:N or auto, with N counted from 0")]
    Unknown(String),
    /// The program was built without support for it.
    #[error("this build has no {device} support: build it with `--features {feature}`, or use --device cpu")]
    NotBuilt {
        /// The device asked for.
        device: DeviceChoice,
        /// The cargo feature that adds it.
        feature: &'static str,
    },
    /// The build supports it but the machine has none, or none of that number.
    #[error(
        "this machine has no usable {device} ({reason}): check the driver and the device's number, or use --device cpu"
    )]
    NotPresent {
        /// The device asked for.
        device: DeviceChoice,
        /// What the driver said.
        reason: String,
    },
}

impl DeviceChoice {
    /// Opens the device. `Auto` never fails: the second value says what it chose and why.
    ///
    /// # Errors
    /// [`DeviceError::NotBuilt`] if the build lacks support, [`DeviceError::NotPresent`] if the machine lacks the device.
    pub fn open(self) -> Result<(Device, Option<String>), DeviceError> {
        match self {
            DeviceChoice::Cpu => Ok((Device::Cpu, None)),
            DeviceChoice::Cuda(n) => {
                if !candle_core::utils::cuda_is_available() {
                    return Err(DeviceError::NotBuilt { device: self, feature: "cuda" });
                }
                self.opened(Device::new_cuda(n))
            }
            DeviceChoice::Metal(n) => {
                if !candle_core::utils::metal_is_available() {
                    return Err(DeviceError::NotBuilt { device: self, feature: "metal" });
                }
                self.opened(Device::new_metal(n))
            }
            DeviceChoice::Auto => {
                let mut reasons = Vec::new();
                for gpu in [DeviceChoice::Cuda(0), DeviceChoice::Metal(0)] {
                    match gpu.open() {
                        Ok((device, _)) => return Ok((device, Some(format!("device auto: using {gpu}")))),
                        Err(DeviceError::NotBuilt { feature, .. }) => {
                            reasons.push(format!("this build has no {feature} support"));
                        }
                        Err(e) => reasons.push(e.to_string()),
                    }
                }
                Ok((Device::Cpu, Some(format!("device auto: using cpu ({})", reasons.join("; ")))))
            }
        }
    }

    fn opened(self, device: candle_core::Result<Device>) -> Result<(Device, Option<String>), DeviceError> {
        match device {
            Ok(device) => Ok((device, None)),
            Err(e) => {
                let reason = e.to_string().lines().next().unwrap_or("no reason given").to_string();
                Err(DeviceError::NotPresent { device: self, reason })
            }
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let (kind, number) = match name.split_once(':') {
            Some((kind, number)) => (kind, Some(number)),
            None => (name, None),
        };
        let unknown = || DeviceError::Unknown(uphill_envs::quoted(name));
        let number = number.map(|n| n.parse().map_err(|_| unknown())).transpose()?;
        match (kind, number) {
            ("cpu", None) => Ok(DeviceChoice::Cpu),
            ("auto", None) => Ok(DeviceChoice::Auto),
            ("cuda", n) => Ok(DeviceChoice::Cuda(n.unwrap_or(0))),
            ("metal", n) => Ok(DeviceChoice::Metal(n.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Cuda(n) => write!(f, "cuda:{n}"),
            DeviceChoice::Metal(n) => write!(f, "metal:{n}"),
            DeviceChoice::Auto => f.write_str("auto"),
        }
    }
}

/// The name of an opened device, as `--device` takes it: `cpu`, `cuda:0`, `metal:0`.
#[must_use]
pub fn device_name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => DeviceChoice::Cpu.to_string(),
        candle_core::DeviceLocation::Cuda { gpu_id } => DeviceChoice::Cuda(gpu_id).to_string(),
        candle_core::DeviceLocation::Metal { gpu_id } => DeviceChoice::Metal(gpu_id).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DeviceChoice, DeviceError};

    #[test]
    fn names_go_both_ways() {
        for (name, device) in [
            ("cpu", DeviceChoice::Cpu),
            ("cuda:0", DeviceChoice::Cuda(0)),
            ("cuda:3", DeviceChoice::Cuda(3)),
            ("metal:0", DeviceChoice::Metal(0)),
            ("auto", DeviceChoice::Auto),
        ] {
            assert_eq!(name.parse(), Ok(device));
            assert_eq!(device.to_string(), name);
        }
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        for wrong in ["", "gpu", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "CUDA"] {
            assert_eq!(wrong.parse::<DeviceChoice>(), Err(DeviceError::Unknown(wrong.to_string())));
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_the_build_lacks_is_named_with_its_feature() {
        let error = DeviceChoice::Cuda(1).open().expect_err("built without cuda").to_string();
        assert_eq!(error, "this build has no cuda:1 support: build it with `--features cuda`, or use --device cpu");
    }

    #[cfg(not(any(feature = "cuda", feature = "metal")))]
    #[test]
    fn auto_falls_back_and_says_so() {
        let (device, note) = DeviceChoice::Auto.open().expect("auto never fails");
        assert!(device.is_cpu());
        let note = note.expect("auto says what it chose");
        assert!(note.contains("using cpu") && note.contains("no cuda support"), "{note}");
    }
}
