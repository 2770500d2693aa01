//! Events as TensorBoard reads them: protocol buffers, each in a frame with checksums.
//!
//! Sources: `event.proto`, `summary.proto`, `histogram.proto` of <https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto>;
//! frames: <https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>.

use prost::Message;

/// What was at one time.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    /// In the first event of a file alone.
    #[prost(string, optional, tag = "3")]
    pub(super) file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub(super) summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<Value>,
}

/// A scalar or a histogram.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(float, optional, tag = "2")]
    pub(super) simple_value: Option<f32>,
    #[prost(message, optional, tag = "5")]
    pub(super) histo: Option<Histogram>,
}

/// How many numbers there are up to each limit, and above the one before.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Histogram {
    #[prost(double, tag = "1")]
    pub(super) min: f64,
    #[prost(double, tag = "2")]
    pub(super) max: f64,
    #[prost(double, tag = "3")]
    pub(super) num: f64,
    #[prost(double, tag = "4")]
    pub(super) sum: f64,
    #[prost(double, tag = "5")]
    pub(super) sum_squares: f64,
    #[prost(double, repeated, tag = "6")]
    pub(super) bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    pub(super) bucket: Vec<f64>,
}

/// As many as TensorBoard shows.
const BUCKETS: usize = 30;

impl Histogram {
    /// Of these numbers; none where there are none, or where they are not finite.
    pub(super) fn of(numbers: &[f32]) -> Option<Self> {
        let wide = || numbers.iter().map(|&x| f64::from(x));
        let (min, max) =
            wide().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)));
        if numbers.is_empty() || !wide().all(f64::is_finite) {
            return None;
        }
        let width = (max - min) / BUCKETS as f64;
        let count = if width > 0.0 { BUCKETS } else { 1 };
        let mut bucket = vec![0.0; count];
        wide().for_each(|x| bucket[(((x - min) / width) as usize).min(count - 1)] += 1.0);
        let bucket_limit = (1..=count).map(|i| if i == count { max } else { min + width * i as f64 }).collect();
        let (num, sum, sum_squares) = (numbers.len() as f64, wide().sum(), wide().map(|x| x * x).sum());
        Some(Self { min, max, num, sum, sum_squares, bucket_limit, bucket })
    }
}

impl Value {
    pub(super) fn scalar(tag: String, value: f64) -> Self {
        Self { tag, simple_value: Some(value as f32), histo: None }
    }

    pub(super) fn histogram(tag: String, histogram: Histogram) -> Self {
        Self { tag, simple_value: None, histo: Some(histogram) }
    }
}

impl Event {
    /// The first of a file.
    pub(super) fn begin(wall_time: f64) -> Self {
        Self { wall_time, file_version: Some("brain.Event:2".into()), ..Self::default() }
    }

    pub(super) fn of(wall_time: f64, step: u64, value: Vec<Value>) -> Self {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        Self { wall_time, step, summary: Some(Summary { value }), ..Self::default() }
    }

    /// Appends it, in a frame: its length, a checksum of that, itself, a checksum of it.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let event = self.encode_to_vec();
        let length = (event.len() as u64).to_le_bytes();
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&masked_sum(&length).to_le_bytes());
        bytes.extend_from_slice(&event);
        bytes.extend_from_slice(&masked_sum(&event).to_le_bytes());
    }
}

/// CRC-32C, so that a sum over what holds sums is no trivial one.
fn masked_sum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::{Event, Histogram, Value};

    /// The frame of TensorFlow's own first event at time 0, as `tests/reference/events.py` wrote it.
    const FIRST: &str = include_str!("../../../tests/reference/events.txt");

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn events_are_those_of_tensorboard_s_own_writer_to_the_byte() {
        let scalar = |tag: &str, value| Value::scalar(tag.into(), value);
        let histogram = Histogram {
            min: -1.0,
            max: 3.0,
            num: 4.0,
            sum: 2.5,
            sum_squares: 10.25,
            bucket_limit: vec![0.0, 3.0],
            bucket: vec![1.0, 3.0],
        };
        let events = [
            Event::begin(1.5),
            Event::of(2.5, 4_096, vec![scalar("charts/SPS", 12.5), scalar("losses/entropy", -0.1)]),
            Event::of(3.5, 1 << 40, vec![Value::histogram("weights/actor.0.weight".into(), histogram)]),
            Event::of(4.5, 0, Vec::new()),
        ];
        let mut lines = FIRST.lines();
        for event in events {
            let mut bytes = Vec::new();
            event.write(&mut bytes);
            assert_eq!(Some(&*hex(&bytes)), lines.next(), "{event:?}");
            assert_eq!(Event::decode(&bytes[12..bytes.len() - 4]), Ok(event));
        }
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn a_histogram_counts_every_number_once() {
        let numbers: Vec<f32> = (0..=60).map(|i| i as f32).collect();
        let of = Histogram::of(&numbers).expect("numbers");
        assert_eq!((of.min, of.max, of.num, of.sum), (0.0, 60.0, 61.0, 1_830.0));
        assert_eq!((of.bucket.len(), of.bucket[0], of.bucket[29]), (30, 2.0, 3.0));
        assert_eq!(of.bucket.iter().sum::<f64>(), 61.0);
        assert_eq!((of.bucket_limit[0], of.bucket_limit[29]), (2.0, 60.0));

        let same = Histogram::of(&[0.5; 7]).expect("numbers");
        assert_eq!((same.bucket, same.bucket_limit), (vec![7.0], vec![0.5]));
        assert_eq!(Histogram::of(&[]), None);
        assert_eq!(Histogram::of(&[0.0, f32::NAN]), None);
        // As wide apart as f32 goes.
        let wide = Histogram::of(&[f32::MIN, f32::MAX]).expect("numbers");
        assert_eq!((wide.bucket[0], wide.bucket[29]), (1.0, 1.0));
    }
}
