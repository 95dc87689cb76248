//! Who is measured beside whom: the smallest function there is, `commands`, and the same slash command with Bolt for JavaScript and with Bolt for Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::requests::SIGNING_SECRET;
use crate::{aws, binaries};

/// A function as Lambda would run it.
pub(crate) struct Contender {
    /// What it is called in the table.
    pub(crate) name: &'static str,
    /// Bytes of what is deployed, not packed.
    pub(crate) size: u64,
    /// Whether it puts a message on SQS before it answers.
    pub(crate) sends: bool,
    /// How many calls to AWS it makes before it asks for work.
    pub(crate) init: usize,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
}

impl Contender {
    /// One of our own, as a program.
    pub(crate) fn own(name: &'static str, binary: PathBuf, init: usize, sends: bool) -> Result<Self> {
        let size = fs::metadata(&binary)?.len();
        Ok(Self { name, size, sends, init, program: binary, arguments: Vec::new(), folder: binaries::root() })
    }

    /// The command that starts it.
    pub(crate) fn command(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder).env_clear().envs([
            ("SLACK_SIGNING_SECRET", SIGNING_SECRET),
            // boto3 reads no other.
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ]);
        command.env("NODE_EXTRA_CA_CERTS", aws::bundle());
        command
    }
}

/// hello, `commands` and both Bolts, built.
pub(crate) fn all(target: &Path) -> Result<Vec<Contender>> {
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;
    Ok(vec![
        Contender::own("hello", binaries::build("hello", target)?, 0, false)?,
        Contender::own("commands", binaries::build("commands", target)?, aws::INIT, true)?,
        javascript(&folder)?,
        python(&folder)?,
    ])
}

/// With its dependencies in one file, as one deploys it.
fn javascript(folder: &Path) -> Result<Contender> {
    eprintln!("bench: bundling Bolt for JavaScript");
    let source = binaries::root().join("bench/bolt-javascript");
    let bundle = folder.join("bolt-javascript.js");
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&source)).context("npm ci, which needs Node.js 20")?;
    let out = format!("--outfile={}", bundle.display());
    let options = ["runtime.js", "--bundle", "--platform=node", "--target=node20", "--minify", "--log-level=warning", &out];
    run(Command::new(source.join("node_modules/.bin/esbuild")).args(options).current_dir(&source))?;
    let node = run(Command::new("node").args(["-p", "process.execPath"]))?;
    Ok(Contender {
        name: "Bolt for JavaScript",
        size: fs::metadata(&bundle)?.len(),
        sends: true,
        init: 0,
        program: String::from_utf8_lossy(&node.stdout).trim().into(),
        arguments: vec![bundle.display().to_string()],
        folder: folder.to_owned(),
    })
}

/// In a virtual environment of its own, compiled.
fn python(folder: &Path) -> Result<Contender> {
    let source = binaries::root().join("bench/bolt-python");
    let venv = folder.join("bolt-python");
    let wanted = fs::read_to_string(source.join("requirements.txt"))?;
    let stamp = venv.join("installed.txt");
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        eprintln!("bench: installing Bolt for Python");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)).context("a virtual environment, which needs Python 3")?;
        let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r", "requirements.txt"];
        run(Command::new(venv.join("bin/python")).args(options).current_dir(&source))?;
        fs::write(&stamp, wanted)?;
    }
    let find = "import slack_bolt, pathlib; print(pathlib.Path(slack_bolt.__file__).parent.parent)";
    let packages = run(Command::new(venv.join("bin/python")).args(["-c", find]))?;
    let packages = PathBuf::from(String::from_utf8_lossy(&packages.stdout).trim());
    // boto3 and the client of the runtime API come with Lambda's own runtime.
    let size = size(&packages.join("slack_bolt"))? + size(&packages.join("slack_sdk"))? + size(&source.join("app.py"))?;
    Ok(Contender {
        name: "Bolt for Python",
        size,
        sends: true,
        init: 0,
        program: venv.join("bin/python"),
        arguments: ["-m", "awslambdaric", "app.handle"].map(str::to_owned).to_vec(),
        folder: source,
    })
}

/// Bytes of a file or of a folder, without what Python has compiled.
fn size(path: &Path) -> Result<u64> {
    if !path.is_dir() {
        return Ok(fs::metadata(path).with_context(|| path.display().to_string())?.len());
    }
    let mut sum = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        if !entry.ends_with("__pycache__") {
            sum += size(&entry)?;
        }
    }
    Ok(sum)
}

fn run(command: &mut Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("{} does not run", command.get_program().display()))?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{} ended with {}: {}", command.get_program().display(), output.status, said.trim());
    Ok(output)
}
