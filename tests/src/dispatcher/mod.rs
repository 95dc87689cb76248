//! Lambda in miniature: runs the functions' real programs, several copies of each, and brings them requests ([`url`]) and queue messages
//! ([`mapping`]) as Lambda does. It can kill a copy at any moment, and counts what each function asks of AWS ([`counter`]).
//!
//! Unlike ministack, which runs a FIFO mapping serially, this one works on as many message groups at once as there are copies.

pub mod counter;
pub mod instance;
pub mod mapping;
pub mod url;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::logs::Logs;
use crate::rights::Rights;
use counter::Counter;
use instance::Instance;
pub use instance::InvokeError;
use mapping::Mapping;

/// How a function is run.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Its name.
    pub name: &'static str,
    /// Its program.
    pub binary: PathBuf,
    /// Its whole environment, apart from what Lambda itself sets.
    pub environment: Vec<(String, String)>,
    /// How many copies at most.
    pub instances: usize,
    /// How long one invocation may take.
    pub timeout: Duration,
}

/// A function with its copies.
#[derive(Debug)]
pub struct Function {
    launch: Launch,
    /// The program of the copies that are started from now on.
    program: Mutex<PathBuf>,
    logs: Logs,
    idle: Mutex<Vec<Arc<Instance>>>,
    busy: Mutex<Vec<Arc<Instance>>>,
    answers: Mutex<Vec<String>>,
    permits: Semaphore,
    in_flight: AtomicUsize,
    invocations: AtomicU32,
    starts: AtomicU32,
    worked: Mutex<Duration>,
}

impl Function {
    /// Nothing is started before the first invocation.
    pub fn new(launch: Launch, logs: Logs) -> Self {
        let permits = Semaphore::new(launch.instances);
        Self {
            program: Mutex::new(launch.binary.clone()),
            launch,
            logs,
            idle: Mutex::default(),
            busy: Mutex::default(),
            answers: Mutex::default(),
            permits,
            in_flight: AtomicUsize::new(0),
            invocations: AtomicU32::new(0),
            starts: AtomicU32::new(0),
            worked: Mutex::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.launch.name
    }

    /// Runs one invocation on a free copy; waits for one where all are busy, and starts one where there are fewer than there may be.
    pub async fn invoke(&self, payload: Bytes) -> Result<Bytes, InvokeError> {
        let _counted = Counted::up(&self.in_flight);
        let _permit = self.permits.acquire().await.map_err(|_| InvokeError::Exited("the world has ended".to_owned()))?;
        self.invocations.fetch_add(1, Ordering::Relaxed);
        let idle = lock(&self.idle).pop();
        let instance = match idle.filter(|instance| instance.is_alive()) {
            Some(instance) => instance,
            None => self.start().await?,
        };
        lock(&self.busy).push(Arc::clone(&instance));
        let began = Instant::now();
        let result = instance.invoke(payload, self.launch.timeout).await;
        *lock(&self.worked) += began.elapsed();
        lock(&self.busy).retain(|busy| !Arc::ptr_eq(busy, &instance));
        let is_current = instance.runs(&lock(&self.program));
        if is_current && instance.is_alive() && result != Err(InvokeError::TimedOut) {
            lock(&self.idle).push(instance);
        }
        lock(&self.answers).push(match &result {
            Ok(answer) => String::from_utf8_lossy(answer).into_owned(),
            Err(error) => format!("{error:?}"),
        });
        if let Err(error) = &result {
            self.logs.push(self.launch.name, format!("invocation failed: {error:?}"));
        }
        result
    }

    async fn start(&self) -> Result<Arc<Instance>, InvokeError> {
        self.starts.fetch_add(1, Ordering::Relaxed);
        let launch = Launch { binary: lock(&self.program).clone(), ..self.launch.clone() };
        Instance::start(&launch, &self.logs).await.map(Arc::new)
    }

    /// As [`Function::invoke`], in JSON.
    pub async fn call(&self, event: &Value) -> Result<Value, InvokeError> {
        let answer = self.invoke(event.to_string().into()).await?;
        serde_json::from_slice(&answer).map_err(|_| InvokeError::Function(format!("no JSON: {}", String::from_utf8_lossy(&answer))))
    }

    /// Deploys another program: what runs finishes what it has, and whatever begins from now on runs the other one.
    pub fn becomes(&self, program: PathBuf) {
        *lock(&self.program) = program;
        self.cool_down();
    }

    /// Starts a copy that waits for work, so that the next invocation finds the function warm.
    pub async fn warm(&self) -> Result<(), InvokeError> {
        let instance = self.start().await?;
        lock(&self.idle).push(instance);
        Ok(())
    }

    /// A copy that is at work.
    pub fn busy_instance(&self) -> Option<Arc<Instance>> {
        let busy = lock(&self.busy);
        let pick = fastrand::usize(..busy.len().max(1));
        busy.get(pick).cloned()
    }

    /// All copies that are at work.
    pub fn busy_instances(&self) -> Vec<Arc<Instance>> {
        lock(&self.busy).clone()
    }

    /// Whether this copy is still at work.
    pub fn is_busy(&self, instance: &Arc<Instance>) -> bool {
        lock(&self.busy).iter().any(|busy| Arc::ptr_eq(busy, instance))
    }

    /// Ends all idle copies, so that the next invocation is a cold start.
    pub fn cool_down(&self) {
        lock(&self.idle).clear();
    }

    /// How many invocations wait or run.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// What it answered so far, failures too.
    pub fn answers(&self) -> Vec<String> {
        lock(&self.answers).clone()
    }

    /// How many invocations there have been.
    pub fn invocations(&self) -> u32 {
        self.invocations.load(Ordering::Relaxed)
    }

    /// For how long its invocations ran in all, starts apart.
    pub fn worked(&self) -> Duration {
        *lock(&self.worked)
    }

    /// How many processes were started.
    pub fn starts(&self) -> u32 {
        self.starts.load(Ordering::Relaxed)
    }
}

/// Counts down again however its scope is left, also when a task is aborted.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn up(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// All functions of a world, with what brings them work.
#[derive(Debug, Default)]
pub struct Dispatcher {
    pub(crate) functions: BTreeMap<&'static str, Arc<Function>>,
    pub(crate) urls: BTreeMap<&'static str, url::FunctionUrl>,
    pub(crate) mappings: BTreeMap<&'static str, Mapping>,
    pub(crate) counters: BTreeMap<&'static str, Counter>,
}

impl Dispatcher {
    /// A function by its name.
    pub fn function(&self, name: &str) -> &Arc<Function> {
        self.functions.get(name).expect("one of the functions")
    }

    /// Where a receiver is reached.
    pub fn url(&self, name: &str) -> &url::FunctionUrl {
        self.urls.get(name).expect("one of the functions with a URL")
    }

    /// What brings a function the messages of its queue.
    pub fn mapping(&self, name: &str) -> &Mapping {
        self.mappings.get(name).expect("one of the three functions behind a queue")
    }

    /// What a function asks of AWS.
    pub fn counter(&self, name: &str) -> &Counter {
        self.counters.get(name).expect("one of the functions")
    }

    /// Everything that passed between the functions: what stood on their queues, and what they answered; with a word on what it is.
    pub fn traffic(&self) -> Vec<(String, String)> {
        let brought = self.mappings.iter().flat_map(|(name, mapping)| {
            mapping.seen().into_iter().map(move |record| (format!("a message for {name}"), record.to_string()))
        });
        let answered = self
            .functions
            .iter()
            .flat_map(|(name, function)| function.answers().into_iter().map(move |answer| (format!("an answer of {name}"), answer)));
        brought.chain(answered).collect()
    }

    /// What functions asked of AWS that their roles do not allow; ministack did it all the same.
    pub fn not_allowed(&self) -> Vec<String> {
        let needed = self.counters.iter().flat_map(|(name, counter)| counter.needed().into_iter().map(move |action| (*name, action)));
        let refused = needed.filter(|(name, action)| !Rights::of_template().allow(name, action));
        refused.map(|(name, action)| format!("the role of {name} in template.yaml does not allow {action}")).collect()
    }

    /// How many invocations wait or run, of all functions.
    pub fn in_flight(&self) -> usize {
        self.functions.values().map(|function| function.in_flight()).sum()
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Random hexadecimal digits, for ids that mean nothing.
pub(crate) fn hex(digits: usize) -> String {
    std::iter::repeat_with(|| char::from_digit(fastrand::u32(..16), 16)).flatten().take(digits).collect()
}
