//! Nothing outlives the tests. However this process ends (a panic, Ctrl-C, `kill -9`), a pipe to a small shell closes, and the shell kills what is
//! still running.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Remembers process ids line by line, `+ 12` and `- 12`, and kills at the end of its input what has not been taken back. The signals of a terminal
/// are meant for the tests; the shell hears of them by the end of its input.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
pids=" "
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids="${pids%% $pid *} ${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
"#;

static WATCHDOG: LazyLock<Mutex<Child>> = LazyLock::new(|| {
    let shell = Command::new("sh").args(["-c", SCRIPT]).stdin(Stdio::piped()).process_group(0).spawn();
    Mutex::new(shell.expect("`sh` has to be there"))
});

/// From now on this process is killed when the tests end.
pub fn guard(pid: u32) {
    tell('+', pid);
}

/// This process has ended.
pub fn release(pid: u32) {
    tell('-', pid);
}

fn tell(sign: char, pid: u32) {
    let mut shell = WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner);
    let pipe = shell.stdin.as_mut().expect("the pipe is kept open");
    writeln!(pipe, "{sign} {pid}").expect("the watchdog is gone: somebody killed it");
}
