//! Small whole files of every kind: what the corpus consists of; and some that once broke a parser.

use std::io::Write;
use std::ops::ControlFlow;

use arbitrary::Unstructured;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use gannet::gan::Network;
use gannet::gan::weights::{Numbering, state_dict};
use gannet_cli::events::messages::{Event, Histogram, Image, Kind, SessionLog, SourceMetadata, Summary, Value, What};
use gannet_cli::hostile::codec_text;
use gannet_tables::{Codec, Input, ReadOptions, Scaling, read};
use prost::Message;

use crate::oracles::{checkpoint, events, model};

/// The name of each file with its bytes; the folder in the name is the target's.
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let images = idx(&[3, 2, 2], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
    let labels = idx(&[5], &[0, 9, 3, 3, 1]);
    let zeros = idx(&[4, 16, 16], &[0; 1024]);
    let two = [gzip(&images[..9]), gzip(&images[9..])].concat();
    let control = |bytes: &[u8]| [&[6, 128], bytes].concat();
    let mut seeds = vec![
        ("idx/images", images.clone()),
        ("idx/labels", labels.clone()),
        ("idx/images.gz", gzip(&images)),
        ("idx/labels.gz", gzip(&labels)),
        ("idx/zeros.gz", gzip(&zeros)),
        ("idx/members.gz", two),
        ("gzip/images", control(&images)),
        ("gzip/zeros", control(&idx(&[2, 8, 8], &[0; 128]))),
        ("gzip/deflated", deflate(&images)),
        ("gzip/deflated-zeros", deflate(&zeros)),
        ("npy/f4", npy("<f4", "False", "(2, 3)", 1, &[0; 24])),
        ("npy/big-f8", npy(">f8", "True", "(2, 2)", 1, &[1; 32])),
        ("npy/i2", npy("<i2", "False", "(5,)", 2, &[7; 10])),
        ("npy/bytes", npy("|u1", "True", "(2, 4)", 3, &[3; 8])),
        ("csv/names", b"x,y\n1,-2.5\n3e4,0.25\n-0,1e-320\n".to_vec()),
        ("csv/quotes", b"\"a;1\";\"say \"\"y\"\"\"\r\n\"1\";2\r\n\r\n3;\"4\"\r\n".to_vec()),
        ("csv/tabs", b"\xef\xbb\xbf1\t2\t3\n4\t 5 \t+6\n".to_vec()),
        ("csv/marks", b"\xef\xbb\xbf\xef\xbb\xbf2\r\n3\n".to_vec()),
        ("csv/column", b"7\n8\n9".to_vec()),
        ("table/rows", b"step,epoch,loss\n1,0,0.5\n20,0,nan\n1000,3,-1.25e-3\n".to_vec()),
        ("table/cut", b"step,epoch,loss\n1,0,0.5\nx,0,1\n5\n,,\n2000,1,1\n7,0,0.".to_vec()),
        ("table/more", b"step,epoch,loss,more\n1,0,0.5,\n20,0,nan,2\n30,0,1\n1000,3,-1.25e-3,0\n".to_vec()),
        ("config/least", b"[run]\npreset = 'circle'\n".to_vec()),
        ("config/settings", SETTINGS.into()),
        ("config/networks", NETWORKS.into()),
        ("config/digits", DIGITS.into()),
        ("history/legs", HISTORY.into()),
        ("history/version-1", HISTORY_OF_VERSION_1.into()),
        ("config/dots", format!("[run]\nsys{}tm = [slope\n", ".".repeat(130)).into()),
    ];
    let spec = model::spec();
    let mut values = Vec::new();
    for index in 0..64 {
        values.extend((index as f32 / 8.0 - 3.0).to_le_bytes());
    }
    let made = model::made_of(&values, &spec);
    let both = || state_dict(&made, &spec, None, Numbering::Sequential, Default::default()).expect("a whole model");
    let one = state_dict(&made, &spec, Some(Network::Generator), Numbering::Layers, Default::default());
    seeds.extend([
        ("model/model", made.to_safetensors(&spec).expect("a whole model")),
        ("weights/sequential", both()),
        ("weights/generator", one.expect("a whole model")),
    ]);
    let mut trainer = checkpoint::trainer();
    trainer.run(3, 0, |_| ControlFlow::Continue(())).expect("three steps");
    let mut checkpoint = trainer.checkpoint().unwrap();
    checkpoint.notes.insert("config.toml".to_string(), "[run]\npreset = \"circle\"\n".to_string());
    seeds.push(("checkpoint/step-3", checkpoint.to_safetensors(&spec).expect("a checkpoint")));
    // A name with a line break, which broke the message; an entry of metadata that is no object, which broke the reader.
    let name = r#"{"a\nb":{"dtype":"F32","shape":[1],"data_offsets":[0,9]}}"#;
    let entry = r#"{"__metadata__":{"gannet.checkpoint":"[]"}}"#;
    seeds.extend(["model/name", "weights/name"].map(|place| (place, safetensors(name))));
    seeds.push(("checkpoint/entry", safetensors(entry)));
    seeds.extend([
        ("codec/lines", codec(LINES, None, Scaling::Standard)),
        ("codec/mixed", codec(&mixed(), None, Scaling::Quantile)),
        ("codec/condition", codec(&mixed(), Some("city"), Scaling::Quantile)),
    ]);
    seeds.push(("events/all", events().iter().flat_map(|event| events::framed(&event.encode_to_vec())).collect()));
    seeds.extend(events().into_iter().skip(2).take(1).map(|event| ("events/message", event.encode_to_vec())));
    seeds
}

/// Large files with the names of the targets that they are for.
pub(crate) fn large() -> Vec<(&'static str, Vec<u8>)> {
    const MANY: usize = 100_000;
    let zeros = idx(&[1024, 32, 32], &[0; 1 << 20]);
    let tensors: Vec<String> =
        (0..MANY / 4).map(|name| format!(r#""{name}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#)).collect();
    let names: Vec<String> = (0..MANY).map(|name| format!(r#""{name}":"""#)).collect();
    let settings: String = (0..MANY).map(|name| format!("{name}=1\n")).collect();
    let values = [&b"\x2a"[..], &varint(2 * 60_000), &b"\x0a\x00".repeat(60_000)].concat();
    let mut large = vec![
        ("idx", gzip(&zeros)),
        ("gzip", [&[6, 128], &zeros[..]].concat()),
        ("npy", npy("|u1", "True", "(1000, 500)", 2, &[1; 500_000])),
        ("npy", npy("|u1", "False", &format!("({})", "1,".repeat(30_000)), 2, &[1])),
        ("csv", b",".repeat(1 << 20)),
        ("csv", b"\"\",".repeat(1 << 18)),
        ("csv", b"1\n".repeat(MANY)),
        ("csv", [&b"1,".repeat(16_383)[..], b"1\n"].concat().repeat(4)),
        ("table", [&b"step,epoch,loss\n"[..], &b"1,,\n".repeat(MANY)].concat()),
        ("table", [&b"step,epoch,loss\n"[..], &b",".repeat(MANY)].concat()),
        ("table", [&b"step,epoch,loss,more\n"[..], &b"1,,,\n".repeat(MANY)].concat()),
        ("model", safetensors(&format!("{{{}}}", tensors.join(",")))),
        ("model", safetensors(&format!(r#"{{"a":{{"dtype":"F32","shape":[{}0]}}}}"#, "0,".repeat(MANY)))),
        ("model", safetensors(&"[".repeat(MANY))),
        ("weights", safetensors(&format!("{{{}}}", tensors.join(",")).replace("\":{", ".weight\":{"))),
        ("weights", safetensors(&format!(r#"{{"__metadata__":{{{}}}}}"#, names.join(",")))),
        ("config", settings.into()),
        ("history", format!(r#"{{"version":2,"settings":{{{}}}}}"#, names.join(",")).into()),
        ("history", format!(r#"{{"version":2,"legs":[{}0]}}"#, "{},".repeat(MANY)).into()),
        ("history", format!(r#"{{"settings":{{{}}},"legs":[]}}"#, names.join(",")).into()),
        ("config", format!("a=[{}]", "1,".repeat(MANY)).into()),
        ("config", format!("a=[{}]", "{},".repeat(MANY)).into()),
        ("config", format!("a=[{}]", "{a=1},".repeat(MANY)).into()),
        ("config", "[[a]]\n".repeat(MANY).into()),
        ("config", format!("a={}", "[".repeat(MANY)).into()),
        ("config", format!("a={}", "{a=".repeat(MANY)).into()),
        ("config", format!("a{}=1", ".a".repeat(MANY)).into()),
        ("config", format!("[a{}]", ".a".repeat(MANY)).into()),
        ("events", events::framed(&values)),
        ("codec", format!(r#"{{"version":1,"codec":{{"columns":[{}0]}}}}"#, "{},".repeat(MANY)).into()),
        ("codec", format!(r#"{{"version":1,"codec":{{"form":{{"columns":[{}0]}}}}}}"#, "{},".repeat(MANY)).into()),
        ("codec", format!(r#"{{"version":1,"codec":{}}}"#, "[".repeat(MANY)).into()),
        ("codec", format!(r#"{{"version":1,"reading":{{{}}}}}"#, names.join(",")).into()),
    ];
    for state in [
        "[".repeat(MANY),
        format!("[{}0]", "0,".repeat(MANY)),
        format!("[{}0]", "[0],".repeat(MANY)),
        format!("[{}0]", r#"{"":0},"#.repeat(MANY)),
        format!("{{{}}}", names.join(",")),
    ] {
        let entry = serde_json::json!({"__metadata__": {"gannet.checkpoint": format!(r#"{{"state":{state}}}"#)}});
        large.push(("checkpoint", safetensors(&entry.to_string())));
    }
    large
}

/// A number as protocol buffers write it.
fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

const SETTINGS: &str = r#"[run]
preset = "circle"
steps = 100
batch = 32
seed = 7
shuffle = false
threads = 2
engine = "native"
isa = "portable"
memory_limit = "2GiB"
evaluate_every = 50
report_every = 5
keep = 3
best = "none"
tensorboard = false
[data]
points = 500
"#;

const NETWORKS: &str = r#"run.preset = "circle"
[gan]
objective = "minimax"
discriminator_steps = 2
order = "discriminator_first"
generator_optimizer = { kind = "adam", learning_rate = 1e-3, beta1 = 0.5, beta2 = 0.999, epsilon = 1e-8 }
discriminator_optimizer = { kind = "sgd", learning_rate = 0.1, momentum = 0.9 }
[gan.generator]
initialization = { kind = "normal", sigma = 0.02 }
layers = [
    { inputs = 3, outputs = 4, activation = { kind = "leaky_relu", slope = 0.2 }, dropout = 0.25 },
    { inputs = 4, outputs = 2, activation = { kind = "tanh" } },
]
[gan.discriminator]
layers = [{ inputs = 2, outputs = 1, activation = { kind = "linear" } }]
"#;

const DIGITS: &str = "[run]\npreset = \"digits\"\nepochs = 0x10\n\n[gan] # minimax\nobjective = '''non_saturating'''\n";

const HISTORY: &str = r#"{"version": 2, "derivation": "streams",
"settings": {"data": "20 samples", "data.samples": 20, "gan.generator.layers[0].slope": 0.2, "run.shuffle": true, "run.seed": 7},
"legs": [
{"from": 0, "to": 8, "changes": [], "version": "0.1.0", "isa": "avx2", "threads": 2, "begun": "2026-11-26 15:00 UTC",
"steps": 8, "samples": 32, "seconds": 0.5, "paused_seconds": 0.25, "total_seconds": 1e0},
{"from": 8, "to": 9, "changes": [{"setting": "run.seed", "before": 6, "after": 7}, {"setting": "x", "before": null, "after": 0.5}],
"version": "", "isa": "", "threads": 0, "begun": "", "steps": 1, "samples": 4, "seconds": 0, "paused_seconds": 0, "total_seconds": 0}],
"discarded": {"steps": 0, "samples": 0, "seconds": 0.0, "paused_seconds": 0.0, "total_seconds": 0.0}, "reached": 9, "replicas": 3}
"#;

const HISTORY_OF_VERSION_1: &str = r#"{"settings": {"data: number of samples": "20", "run.seed": "7", "run.shuffle": "true",
"gan.generator.layers[0].activation": "leaky_relu { slope: 0.2 }", "gan.generator_optimizer.epsilon": "0.00000001"},
"legs": [{"from": 0, "to": 8, "changes": [{"setting": "gan.generator.layers[0].activation", "before": "relu",
"after": "leaky_relu { slope: 0.2 }"}, {"setting": "run.batch", "before": null, "after": "4"}],
"version": "0.1.0", "isa": "avx2", "threads": 2, "begun": "", "steps": 8, "samples": 32, "seconds": 1, "paused_seconds": 0,
"total_seconds": 2}],
"discarded": {"steps": 0, "samples": 0, "seconds": 0.0, "paused_seconds": 0.0, "total_seconds": 0.0}}
"#;

/// Two columns of numbers, and a constant.
const LINES: &str = "x,y,z\n0.5,-1,7\n1.25,30,7\n-3,2,7\n4.75,11,7\n";

/// A table with a column of every kind, and with gaps.
fn mixed() -> String {
    let row = |row: usize| {
        let city = ["Paris", "Rome", "", "Rome", "Paris"][row % 5];
        let income = if row % 7 == 3 { "NA".to_string() } else { format!("{}.{}", row * 37 % 19, row % 10) };
        format!(
            "{row};{city};{};{income};2024-0{}-1{};{}\n",
            20 + row * 7 % 13,
            1 + row % 9,
            row % 3,
            row.is_multiple_of(2)
        )
    };
    std::iter::once("id;city;age;income;since;member\n".to_string()).chain((0..30).map(row)).collect()
}

/// The file of a run on a table.
fn codec(text: &str, condition: Option<&str>, scaling: Scaling) -> Vec<u8> {
    let table = read(&Input::bytes("seed.csv", text), &ReadOptions::default()).expect("a table");
    codec_text(Codec::fit(&table, condition, scaling).expect("columns that vary")).expect("a small codec")
}

/// An IDX file of unsigned bytes.
fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dimensions.len() as u8];
    dimensions.iter().for_each(|dimension| file.extend(dimension.to_be_bytes()));
    file.extend(data);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes everything")
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes everything")
}

/// An NPY file of a version of the format.
fn npy(descr: &str, fortran_order: &str, shape: &str, version: u8, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n");
    let mut file = [b"\x93NUMPY", &[version, 0][..]].concat();
    let length = (header.len() as u32).to_le_bytes();
    file.extend(&length[..if version == 1 { 2 } else { 4 }]);
    file.extend(header.bytes());
    file.extend(data);
    file
}

/// A safetensors file of a header alone.
fn safetensors(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}

/// An event of each kind.
fn events() -> Vec<Event> {
    let value = |tag: &str, kind| Value { tag: tag.to_string(), kind: Some(kind) };
    let picture = Image { height: 1, width: 2, colorspace: 3, encoded: b"\x89PNG".to_vec() };
    let mut numbers = Unstructured::new(&[64; 40]);
    let mut number = || numbers.arbitrary().unwrap_or_default();
    let histogram = Histogram {
        min: number(),
        max: number(),
        count: number(),
        sum: number(),
        sum_of_squares: number(),
        limits: vec![0.5, 1.5],
        counts: vec![3.0, 4.0],
    };
    let values = vec![
        value("losses/generator", Kind::Scalar(0.5)),
        value("samples", Kind::Image(picture)),
        value("weights", Kind::Histogram(Box::new(histogram))),
    ];
    let event = |step, what| Event { wall_time: 1.5, step, what: Some(what), ..Event::default() };
    let version = event(0, What::FileVersion("brain.Event:2".to_string()));
    vec![
        Event { source_metadata: Some(SourceMetadata { writer: "gannet".to_string() }), ..version },
        event(1, What::SessionLog(SessionLog { status: SessionLog::START })),
        event(2, What::Summary(Summary { values })),
    ]
}
