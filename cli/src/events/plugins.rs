//! What plugins of TensorBoard show: settings as a text, and as hyperparameters beside the last scalars.
//!
//! Such a value is a tensor whose metadata name the plugin. The hyperparameters stand in the metadata themselves, as
//! `HParamsPluginData` of `tensorboard/plugins/hparams/plugin_data.proto`, under tags that the plugin looks for. These messages are
//! only written: the reader passes over them.

use std::collections::BTreeMap;

/// A setting.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A name.
    Text(String),
}

/// An event with one tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorEvent {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(message, optional, tag = "5")]
    summary: Option<TensorSummary>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TensorSummary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<TensorValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TensorValue {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin: Option<Plugin>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Plugin {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    strings: Vec<Vec<u8>>,
}

impl Tensor {
    /// `DT_FLOAT` and `DT_STRING` of `types.proto`.
    const NUMBERS: i32 = 1;
    const STRINGS: i32 = 7;
}

#[derive(Clone, PartialEq, prost::Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    dimensions: Vec<Dimension>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Dimension {
    #[prost(int64, tag = "1")]
    size: i64,
}

/// What the plugin for hyperparameters knows of a run: its start with the settings, or its end.
#[derive(Clone, PartialEq, prost::Message)]
struct Session {
    #[prost(message, optional, tag = "3")]
    start: Option<Start>,
    #[prost(message, optional, tag = "4")]
    end: Option<End>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Start {
    #[prost(btree_map = "string, message", tag = "1")]
    settings: BTreeMap<String, Known>,
    #[prost(double, tag = "5")]
    seconds: f64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct End {
    /// `STATUS_SUCCESS` is 1.
    #[prost(int32, tag = "1")]
    status: i32,
    #[prost(double, tag = "2")]
    seconds: f64,
}

/// A `google.protobuf.Value`.
#[derive(Clone, PartialEq, prost::Message)]
struct Known {
    #[prost(oneof = "Kind", tags = "2, 3, 4")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Flag(bool),
}

/// A text in Markdown.
pub(super) fn text(wall_time: f64, step: i64, tag: &str, markdown: &str) -> TensorEvent {
    let tensor = Tensor { kind: Tensor::STRINGS, shape: Some(Shape::default()), strings: vec![markdown.into()] };
    event(wall_time, step, tag, tensor, "text", Vec::new())
}

/// The settings of a run that begins, or goes on.
pub(super) fn start(wall_time: f64, step: i64, settings: &BTreeMap<String, Setting>) -> TensorEvent {
    let known = |setting: &Setting| match setting {
        Setting::Number(number) => Kind::Number(*number),
        Setting::Flag(flag) => Kind::Flag(*flag),
        Setting::Text(text) => Kind::Text(text.clone()),
    };
    let settings = settings.iter().map(|(name, value)| (name.clone(), Known { kind: Some(known(value)) })).collect();
    let start = Some(Start { settings, seconds: wall_time });
    session(wall_time, step, "_hparams_/session_start_info", &Session { start, end: None })
}

/// The end of a run that has done all its steps.
pub(super) fn end(wall_time: f64, step: i64) -> TensorEvent {
    let end = Some(End { status: 1, seconds: wall_time });
    session(wall_time, step, "_hparams_/session_end_info", &Session { start: None, end })
}

fn session(wall_time: f64, step: i64, tag: &str, session: &Session) -> TensorEvent {
    // No numbers: what there is to say stands in the metadata.
    let shape = Some(Shape { dimensions: vec![Dimension { size: 0 }] });
    let tensor = Tensor { kind: Tensor::NUMBERS, shape, strings: Vec::new() };
    event(wall_time, step, tag, tensor, "hparams", prost::Message::encode_to_vec(session))
}

fn event(wall_time: f64, step: i64, tag: &str, tensor: Tensor, plugin: &str, content: Vec<u8>) -> TensorEvent {
    let metadata = Some(Metadata { plugin: Some(Plugin { name: plugin.to_owned(), content }) });
    let value = TensorValue { tag: tag.to_owned(), tensor: Some(tensor), metadata };
    TensorEvent { wall_time, step, summary: Some(TensorSummary { values: vec![value] }) }
}
