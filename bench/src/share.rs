//! The share of a core that Lambda gives to 128 MB, by the kernel's own means: a control group with a quota.
//!
//! Lambda gives a whole core at 1,769 MB and shares in between; init runs unthrottled whatever the size.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Megabytes.
const MEMORY: u64 = 128;
/// The megabytes that come with a whole core.
const CORE: u64 = 1_769;
/// In microseconds: the quota is spent anew so often.
const PERIOD: u64 = 20_000;

/// Where version 1 of control groups keeps the one for cores, and where version 2 keeps all.
const V1: &str = "/sys/fs/cgroup/cpu";
const V2: &str = "/sys/fs/cgroup";

/// A control group of this process's own; gone when it is dropped, once nobody is in it.
pub(crate) struct Share {
    folder: PathBuf,
}

impl Drop for Share {
    fn drop(&mut self) {
        // Whoever is still in it has been killed and is about to leave; an empty group costs nothing.
        let _ = fs::remove_dir(&self.folder);
    }
}

impl Share {
    /// The share of 128 MB. An error where this user may make no control groups.
    pub(crate) fn of_128_mb() -> Result<Self> {
        let quota = PERIOD * MEMORY / CORE;
        let name = format!("tocsin-bench-{}", std::process::id());
        let (parent, settings) = if Path::new(V1).join("cpu.cfs_quota_us").exists() || Path::new(V1).join("cgroup.procs").exists() {
            (V1, vec![("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())])
        } else {
            (V2, vec![("cpu.max", format!("{quota} {PERIOD}"))])
        };
        let folder = Path::new(parent).join(name);
        fs::create_dir_all(&folder).with_context(|| format!("no control group can be made in {parent}; as root it can"))?;
        let share = Self { folder };
        for (setting, value) in settings {
            let path = share.folder.join(setting);
            fs::write(&path, value).with_context(|| format!("{} cannot be set", path.display()))?;
        }
        Ok(share)
    }

    /// From now on this process has no more than the share.
    pub(crate) fn holds(&self, pid: i32) -> Result<()> {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string()).context("the process does not go into the control group")
    }
}
