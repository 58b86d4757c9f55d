//! TensorBoard event files: what TensorBoard shows of a run in its Scalars, Time Series, Images, Histograms, Text and HParams dashboards.
//!
//! An event file is a sequence of records (`record.rs`), each of which holds a protocol buffer (`messages.rs`): the first one the
//! version of the format, each further one the values of a step. The values have the forms `simple_value`, `Image` and
//! `HistogramProto`: every version of TensorBoard reads them (today's converts them in `tensorboard/data_compat.py`), as do
//! the tools of others; they are what PyTorch's `SummaryWriter` writes.
//!
//! TensorBoard shows a sample of 10 images and of 500 histograms of a run unless it is started with, for instance,
//! `--samples_per_plugin images=1000,histograms=1000`.

mod histogram;
pub mod messages;
mod plugins;
pub mod read;
mod record;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use plugins::Setting;
pub(crate) use writer::EventWriter;
