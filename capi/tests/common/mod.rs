//! The C interface installed into a folder, and programs in C that are built against it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

/// The folder of the package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says that the calling test is skipped, because the machine lacks `what`, which `cure` brings. Where `GANNET_CI` is set, a skipped
/// test is a failed one.
pub(crate) fn skip(what: &str, cure: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(std::env::var_os("GANNET_CI").is_none(), "{test} needs {what}, and GANNET_CI is set: {cure}");
    // Not `eprintln`, whose lines the test harness shows for failed tests only.
    _ = writeln!(std::io::stderr(), "SKIPPED {test}: there is no {what}; {cure}");
}

/// Whether a program can be started.
pub(crate) fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs a command that must go well, and returns what it prints.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{errors}",
        output.status,
        String::from_utf8_lossy(&output.stdout)
    );
    output
}

/// The source of a program of the tests.
fn source(name: &str) -> PathBuf {
    package().join("tests/c").join(name).with_extension("c")
}

/// What is installed, and what is built against it.
pub(crate) struct Installed {
    folder: TempDir,
}

/// The interface installed by its script; `None` where the machine cannot build programs in C.
pub(crate) fn installed() -> Option<&'static Installed> {
    static INSTALLED: OnceLock<Option<Installed>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        if !cfg!(target_os = "linux") || !["gcc", "g++", "bash", "pkg-config"].into_iter().all(has) {
            return None;
        }
        let folder = TempDir::new().expect("a folder for the installation");
        // Cargo has built the libraries beside this test, as dependencies of it.
        let test = std::env::current_exe().expect("the test has a file");
        let built = test.parent().expect("the file has a folder");
        run(Command::new("bash").arg(package().join("scripts/install.sh")).arg(folder.path()).arg(built));
        Some(Installed { folder })
    });
    if installed.is_none() {
        skip("gcc with g++ and pkg-config on Linux", "install the packages gcc, g++ and pkg-config");
    }
    installed.as_ref()
}

impl Installed {
    /// Where the programs and their files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The flags that `pkg-config` tells.
    fn flags(&self, options: &[&str]) -> Vec<String> {
        let output = run(Command::new("pkg-config")
            .args(options)
            .args(["--cflags", "--libs", "gannet"])
            .env("PKG_CONFIG_PATH", self.folder().join("lib/pkgconfig")));
        String::from_utf8_lossy(&output.stdout).split_whitespace().map(String::from).collect()
    }

    /// A command line of a shell in [`folder`](Self::folder), which finds what is installed.
    pub(crate) fn shell(&self, line: &str) -> Command {
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).current_dir(self.folder());
        shell.env("PKG_CONFIG_PATH", self.folder().join("lib/pkgconfig"));
        shell.env("LD_LIBRARY_PATH", self.folder().join("lib"));
        shell
    }

    /// A place for a program: each build has its own, so that none is written while another test runs it.
    fn place(&self, name: &str) -> PathBuf {
        static BUILDS: AtomicUsize = AtomicUsize::new(0);
        self.folder().join(format!("{name}-{}", BUILDS.fetch_add(1, Ordering::Relaxed)))
    }

    /// The program of `tests/c/NAME.c`, built by gcc as C11 against the shared library.
    pub(crate) fn c_program(&self, name: &str) -> PathBuf {
        self.c_program_of(&source(name))
    }

    /// The same of a source anywhere.
    pub(crate) fn c_program_of(&self, source: &Path) -> PathBuf {
        let program = self.place("c");
        let rpath = format!("-Wl,-rpath,{}", self.folder().join("lib").display());
        self.build("gcc", &["-std=c11"], source, &program, [rpath].into_iter().chain(self.flags(&[])));
        program
    }

    /// The same program, built by g++ as C++ against the static library and what `pkg-config --static` names beside it.
    pub(crate) fn cpp_program(&self, name: &str) -> PathBuf {
        let program = self.place(name);
        let library = self.folder().join("lib/libgannet.a").display().to_string();
        let of_static = |flag: String| if flag == "-lgannet" { library.clone() } else { flag };
        let flags =
            ["-x", "none"].map(String::from).into_iter().chain(self.flags(&["--static"]).into_iter().map(of_static));
        self.build("g++", &["-std=c++17", "-x", "c++"], &source(name), &program, flags);
        program
    }

    fn build(
        &self,
        compiler: &str,
        standard: &[&str],
        source: &Path,
        program: &Path,
        flags: impl Iterator<Item = impl AsRef<OsStr>>,
    ) {
        let mut command = Command::new(compiler);
        command.args(["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]).args(standard).arg(source);
        run(command.args(flags).args(["-lm", "-o"]).arg(program));
    }
}
