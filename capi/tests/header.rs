//! `include/gannet.h` is what cbindgen makes of the crate. `GANNET_WRITE_HEADER=1 cargo test --release --package gannet-capi --test header`
//! writes it anew.

use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config, DocumentationStyle, Language, RenameRule};

/// The files that the header is made of, in its order.
const FILES: [&str; 15] = [
    "query",
    "last_error",
    "status",
    "pool",
    "options",
    "data",
    "report",
    "trainer",
    "turns",
    "parameters",
    "checkpoint",
    "sampler",
    "function",
    "loss",
    "network",
];

const OPENING: &str = "\
/* The C interface of gannet, which trains generative adversarial networks of dense layers on CPUs.
 *
 * docs/embedding.md shows a whole program, who owns what memory, threads, signals and forks. The rules of all functions:
 *
 * - Matrices are row-major floats; a row is a sample.
 * - A function returns a GannetStatus. Where that is not GANNET_OK, gannet_last_error() says what is wrong, and nothing has been changed
 *   unless the status says otherwise.
 * - A handle is used by one thread at a time; a second call gets GANNET_BUSY. Different handles may be used by different threads.
 * - A struct begins with its size: set it to sizeof. All other fields may be 0.
 * - A callback neither throws nor jumps out of itself.
 *
 * cbindgen makes this file of the crate gannet-capi; do not change it by hand.
 */";

/// The text of the header.
fn header() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut config = Config {
        language: Language::C,
        header: Some(OPENING.to_string()),
        include_guard: Some("GANNET_H".to_string()),
        cpp_compat: true,
        no_includes: true,
        sys_includes: ["stddef.h", "stdint.h"].map(String::from).to_vec(),
        usize_is_size_t: true,
        line_length: 120,
        tab_width: 4,
        documentation_style: DocumentationStyle::C99,
        ..Config::default()
    };
    config.enumeration.rename_variants = RenameRule::QualifiedScreamingSnakeCase;
    let sources = FILES.map(|name| folder.join(name).with_extension("rs"));
    let builder = sources.iter().fold(Builder::new().with_config(config), |builder, path| builder.with_src(path));
    let bindings = builder.generate().expect("cbindgen reads the crate");
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let text = String::from_utf8(bytes).expect("a header is text");
    // What Rust has to promise is for its readers alone.
    without_safety(&text).replace("GANNET_STATUS_", "GANNET_")
}

/// `text` without the paragraphs on safety, which say in Rust's terms what the documentation of a function says in C's.
fn without_safety(text: &str) -> String {
    text.replace("// # Safety\n//\n", "// The caller promises:\n//\n")
}

#[test]
fn the_header_is_that_of_the_crate() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/gannet.h");
    let text = header();
    if std::env::var_os("GANNET_WRITE_HEADER").is_some() {
        fs::write(&path, text).expect("the header can be written");
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{} is not current; set GANNET_WRITE_HEADER=1 and run this test again", path.display());
}
