//! The protocol buffers of event files, with the fields that are used here; a reader skips the others.
//!
//! Names, numbers and types of the fields are those of TensorFlow's `tensorflow/core/util/event.proto`,
//! `tensorflow/core/framework/summary.proto` and `tensorflow/tsl/protobuf/histogram.proto`, which TensorBoard has copies of in
//! `tensorboard/compat/proto`.

/// What happened at a moment.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Event {
    /// Seconds since 1970, of the system's clock.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step of the training.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// What happened; `None` where it is nothing that this program knows.
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub what: Option<What>,
    /// Who wrote the file; in its first event.
    #[prost(message, optional, tag = "10")]
    pub source_metadata: Option<SourceMetadata>,
}

/// The kinds of events.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum What {
    /// The version of the format: the file's first event.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Values.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// Start or end of a session.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Who wrote a file.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SourceMetadata {
    /// The name of the program.
    #[prost(string, tag = "1")]
    pub writer: String,
}

/// Start or end of a session.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct SessionLog {
    /// Which: [`SessionLog::START`] or another.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

impl SessionLog {
    /// A session starts: what earlier ones wrote of this event's step and of later ones is void.
    pub const START: i32 = 1;
}

/// Values of a step.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Summary {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// A value under a name.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    /// The name, in parts that slashes separate; TensorBoard groups by the first part.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The value; `None` where its kind is none that this program knows.
    #[prost(oneof = "Kind", tags = "2, 4, 5")]
    pub kind: Option<Kind>,
}

/// The kinds of values.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Kind {
    /// A number.
    #[prost(float, tag = "2")]
    Scalar(f32),
    /// A picture.
    #[prost(message, tag = "4")]
    Image(Image),
    /// The distribution of numbers.
    #[prost(message, boxed, tag = "5")]
    Histogram(Box<Histogram>),
}

/// A picture.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Image {
    /// Rows of pixels.
    #[prost(int32, tag = "1")]
    pub height: i32,
    /// Pixels in a row.
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// Channels: 1 gray, 2 gray and alpha, 3 red, green and blue, 4 these and alpha.
    #[prost(int32, tag = "3")]
    pub colorspace: i32,
    /// The bytes of a PNG file.
    #[prost(bytes = "vec", tag = "4")]
    pub encoded: Vec<u8>,
}

/// The distribution of numbers.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Histogram {
    /// The smallest number.
    #[prost(double, tag = "1")]
    pub min: f64,
    /// The largest number.
    #[prost(double, tag = "2")]
    pub max: f64,
    /// How many numbers there are.
    #[prost(double, tag = "3")]
    pub count: f64,
    /// Their sum.
    #[prost(double, tag = "4")]
    pub sum: f64,
    /// The sum of their squares.
    #[prost(double, tag = "5")]
    pub sum_of_squares: f64,
    /// The upper limits of the buckets, ascending. A bucket holds the numbers from the previous limit (inclusive) to its own
    /// (exclusive).
    #[prost(double, repeated, tag = "6")]
    pub limits: Vec<f64>,
    /// How many numbers each bucket holds.
    #[prost(double, repeated, tag = "7")]
    pub counts: Vec<f64>,
}
