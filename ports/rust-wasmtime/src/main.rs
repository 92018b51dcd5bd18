//! A host of the allcores kernel on Wasmtime, as docs/abi.md tells: host KERNEL RESULT.
//! It reads a job a line from standard input, runs it on threads, and answers with a line. Whatever fails ends it.

use serde_json::{Map, Value, json};
use std::io::stdin;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};
use std::{env, fs, mem::take};
use wasmtime::{Config, Engine, Instance, Linker, MemoryType, Module, Result, SharedMemory, Store, WasmParams};

fn main() -> Result<()> {
    let paths: Vec<String> = env::args().skip(1).collect();
    let mut config = Config::new();
    config.wasm_threads(true).shared_memory(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, fs::read(&paths[0])?)?;
    for line in stdin().lines() {
        let job = serde_json::from_str(&line?)?;
        println!("{}", run(&engine, &module, &job, &paths[1])?);
    }
    Ok(())
}

/// A thread's own instance: a store belongs to one thread at a time, the memory to all.
struct Kernel {
    store: Store<()>,
    instance: Instance,
}

impl Kernel {
    fn new(engine: &Engine, module: &Module, memory: &SharedMemory, zero: Instant) -> Result<Kernel> {
        let mut store = Store::new(engine, ());
        let mut linker = Linker::new(engine);
        linker.define(&store, "env", "memory", memory.clone())?;
        linker.func_wrap("env", "now", move || milliseconds(zero))?;
        let instance = linker.instantiate(&mut store, module)?;
        Ok(Kernel { store, instance })
    }

    fn call<Parameters: WasmParams>(&mut self, name: &str, parameters: Parameters) -> Result<i32> {
        let function = self.instance.get_typed_func::<Parameters, i32>(&mut self.store, name)?;
        function.call(&mut self.store, parameters)
    }

    /// The value of an exported constant.
    fn constant(&mut self, name: &str) -> usize {
        let global = self.instance.get_global(&mut self.store, name).expect(name);
        global.get(&mut self.store).unwrap_i32() as usize
    }
}

fn run(engine: &Engine, module: &Module, job: &Map<String, Value>, result: &str) -> Result<Value> {
    let number = |name: &str| job[name].as_f64().unwrap();
    let pages = number("pages") as u32;
    let memory = SharedMemory::new(engine, MemoryType::shared(pages, pages))?;
    let zero = Instant::now();
    let mut host = Kernel::new(engine, module, &memory, zero)?;
    for (name, value) in job {
        if name.starts_with("MANDELBROT_RE_") || name.starts_with("MANDELBROT_IM_") {
            write(&memory, host.constant(name), &value.as_f64().unwrap().to_le_bytes());
        } else if name.starts_with(char::is_uppercase) {
            write(
                &memory,
                host.constant(name),
                &(value.as_i64().unwrap() as u32).to_le_bytes(),
            );
        }
    }

    let threads = 0..number("JOB_THREADS") as i32;
    let mut kernels = threads
        .map(|_| Kernel::new(engine, module, &memory, zero))
        .collect::<Result<Vec<_>>>()?;
    let park = number("park") as u64;
    let (elapsed, returned) = scope(|scope| -> Result<(f64, i32)> {
        let start = |kernels: Vec<Kernel>| -> Vec<_> {
            let work = |(thread, mut kernel): (i32, Kernel)| {
                scope.spawn(move || {
                    if park > 0 {
                        kernel.call("park", (thread, 0))?;
                    }
                    kernel.call("work", thread)
                })
            };
            (0..).zip(kernels).map(work).collect()
        };
        let mut team = Vec::new();
        if park > 0 {
            team = start(take(&mut kernels));
            sleep(Duration::from_millis(park));
        }
        let begin = Instant::now();
        host.call("publish", ())?;
        if number("count") != 0.0 {
            write(
                &memory,
                host.constant("CONTROL_COUNT"),
                &(number("count") as i64).to_le_bytes(),
            );
        }
        team.extend(start(kernels));
        let bits = team
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Result<Vec<i32>>>()?;
        Ok((milliseconds(begin), bits.iter().sum()))
    })?;

    let count = i64::from_le_bytes(read(&memory, host.constant("CONTROL_COUNT"), 8).try_into().unwrap());
    fs::write(result, read(&memory, number("from") as usize, number("bytes") as usize))?;
    Ok(json!({ "host": version(), "elapsedMs": elapsed, "count": count, "returned": returned }))
}

/// Only while no thread is in a job: the memory is shared, so Rust cannot know that nobody else writes there.
fn write(memory: &SharedMemory, address: usize, bytes: &[u8]) {
    for (cell, byte) in memory.data()[address..address + bytes.len()].iter().zip(bytes) {
        unsafe { *cell.get() = *byte };
    }
}

/// A copy; only while no thread is in a job.
fn read(memory: &SharedMemory, address: usize, bytes: usize) -> Vec<u8> {
    memory.data()[address..address + bytes]
        .iter()
        .map(|cell| unsafe { *cell.get() })
        .collect()
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn version() -> String {
    let (_, found) = include_str!("../Cargo.lock")
        .split_once("name = \"wasmtime\"\nversion = \"")
        .unwrap();
    format!("Wasmtime {}", found.split('"').next().unwrap())
}
