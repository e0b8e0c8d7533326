//! A temporary copy of the repository, with stand-ins for cargo, pip and curl.

use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

/// Logs its call and the LIBTORCH it sees; a build makes a binary that prints its folder and arguments.
const CARGO: &str = r#"#!/bin/sh
echo "cargo in $PWD LIBTORCH=${LIBTORCH-unset}: $*" >>"$FAKE/log"
[ ! -e "$FAKE/cargo-fails" ] || { echo "error: no luck" >&2; exit 101; }
[ "$1" = build ] || exit 7
cat >/dev/null # swallows the input it is given
mkdir -p "$CARGO_TARGET_DIR/release"
new="$CARGO_TARGET_DIR/release/new.$$" # as cargo does: a file that may be running is replaced, not written to
cat >"$new" <<'END'
#!/bin/sh
echo "in $PWD"
for argument; do printf "<%s>\n" "$argument"; done
case "${1-}" in exit) exit "$2" ;; cat) cat ;; esac
END
chmod +x "$new"
mv "$new" "$CARGO_TARGET_DIR/release/cs385"
"#;

/// `python3 -m pip` takes wheels from $FAKE/wheels; all else is the real python3.
const PYTHON: &str = r#"#!/bin/sh
[ "$1 $2" = "-m pip" ] || exec REAL "$@"
shift 2
[ "$1" = download ] || exit 0
[ "$2" = --dest ] || exit 2
folder=$3 spec=
for argument; do
    case $argument in
        *==*) spec=$argument ;;
        */requirements.txt) spec=requirements==0 && cat "$argument" >>"$FAKE/log" ;;
    esac
done
echo "pip $spec" >>"$FAKE/log"
mkdir -p "$folder"
if [ -e "$FAKE/pip-hangs" ]; then echo half >"$folder/torch-half.whl"; : >"$FAKE/hanging"; sleep 60; fi
if [ -e "$FAKE/pip-corrupts" ]; then
    echo rubbish >"$folder/torch-bad.whl"
    [ -e "$FAKE/pip-corrupts-always" ] || rm "$FAKE/pip-corrupts"
    exit 0
fi
[ ! -e "$FAKE/pip-is-slow" ] || sleep 0.3
cp "$FAKE/wheels/${spec%%=*}"/*.whl "$folder"
"#;

/// PyTorch's own archive, where the test has put one.
const CURL: &str = r#"#!/bin/sh
echo curl >>"$FAKE/log"
while [ "$1" != -o ]; do shift; done
cp "$FAKE/archive.zip" "$2" 2>/dev/null || exit 6
"#;

pub struct Copy {
    pub folder: TempDir,
}

impl Copy {
    pub fn new() -> Copy {
        let copy = Copy { folder: TempDir::new().unwrap() };
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(copy.root()).unwrap();
        fs::copy(repository.join("cs385"), copy.root().join("cs385")).unwrap();
        for source in [
            "Cargo.toml",
            "Cargo.lock",
            "build.rs",
            "src/main.rs",
            "src/core/a.rs",
            "stdlib/a.rhai",
            "data/catalog.toml",
        ] {
            copy.write(source, "");
        }
        let real = Command::new("sh").args(["-c", "command -v python3"]).output().unwrap();
        let real = String::from_utf8(real.stdout).unwrap();
        assert!(!real.is_empty(), "the launcher and this test need python3");
        for (name, text) in [("cargo", CARGO), ("python3", PYTHON), ("curl", CURL), ("c++", "#!/bin/sh\n")] {
            let path = copy.fake(&format!("bin/{name}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text.replace("REAL", real.trim())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let torch = [
            ("torch/lib/libc10.so", "c10"),
            ("torch/lib/libtorch_cpu.so", "cpu"),
            ("torch/lib/libtorch.so", "drags CUDA in"),
            ("torch/lib/libtorch_cuda.so", "cuda"),
            ("torch/lib/libgomp.so.1", "gomp"),
            ("torch/include/torch/", ""),
            ("torch/include/torch/csrc/api/include/torch/torch.h", "header"),
            ("torch/nn/functional.py", "python"),
            (
                "torch-2.11.0.dist-info/METADATA",
                "Requires-Dist: sympy>=1.13.3\nRequires-Dist: cuda-toolkit[cublas]==13.0.2; platform_system == \"Linux\"\n\
                 Requires-Dist: nvidia-nccl-cu13==2.28.9\n",
            ),
        ];
        let mut specs = String::new();
        for (name, version, members) in [
            ("torch", "2.11.0", &torch[..]),
            ("nvidia-cuda-runtime", "13.0.96", &[("nvidia/cu13/lib/libcudart.so.13", "cudart")]),
            ("nvidia-cuda-cupti", "13.0.85", &[("nvidia/cu13/lib/libcupti.so.13", "cupti")]),
        ] {
            let hash = zip(&copy.fake(&format!("wheels/{name}/{name}-{version}.whl")), members);
            specs += &format!("{name}=={version} {hash}\n");
        }
        zip(&copy.fake("wheels/requirements/nccl.whl"), &[("nvidia/nccl/lib/libnccl.so.2", "nccl")]);
        fs::write(copy.fake("specs"), specs).unwrap();
        copy
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("a clone")
    }

    pub fn fake(&self, name: &str) -> PathBuf {
        self.folder.path().join("fake").join(name)
    }

    /// Writes a source, a moment later than the last build as any editor would.
    pub fn write(&self, source: &str, text: &str) {
        sleep(Duration::from_millis(20));
        let path = self.root().join(source);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn flag(&self, name: &str) {
        fs::write(self.fake(name), "").unwrap();
    }

    pub fn command(&self, launcher: &Path) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(launcher);
        command
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.fake("bin").display()))
            .env("FAKE", self.fake(""))
            .env("CS385_WHEEL_SPECS", self.fake("specs"))
            .env("CS385_CUDA", "0")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("LIBTORCH")
            .env_remove("CXX")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(&self.root().join("cs385")).args(args).output().unwrap()
    }

    /// Runs and returns what the stand-ins logged during the run; panics if the launcher failed.
    pub fn calls(&self, args: &[&str]) -> String {
        let _ = fs::remove_file(self.fake("log"));
        let output = self.run(args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        self.log()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.fake("log")).unwrap_or_default()
    }

    pub fn lib(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.root().join(".libtorch").join(name)).ok()
    }

    pub fn assert_libtorch(&self) {
        for (file, content) in [
            ("lib/libc10.so", "c10"),
            ("lib/libtorch_cpu.so", "cpu"),
            ("lib/libtorch.so", "cpu"),
            ("lib/libgomp.so.1", "gomp"),
            ("lib/libcudart.so.13", "cudart"),
            ("lib/libcupti.so.13", "cupti"),
            ("include/torch/csrc/api/include/torch/torch.h", "header"),
            ("build-version", "2.11.0+cu130\n"),
        ] {
            assert_eq!(self.lib(file).as_deref(), Some(content), "{file}");
        }
        assert!(!self.root().join(".libtorch/tmp").exists(), "the temporary folder is left behind");
        assert_eq!(self.lib("lib/libtorch_cuda.so"), None);
    }
}

/// Writes a zip and returns its sha256.
pub fn zip(path: &Path, members: &[(&str, &str)]) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, text) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
