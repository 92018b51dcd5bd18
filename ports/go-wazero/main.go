// A host of the allcores kernel on wazero, as docs/abi.md tells: host KERNEL RESULT.
// It reads a job a line from standard input, runs it on goroutines, and answers with a line. Whatever fails ends it.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

var ctx = context.Background()

type job map[string]float64

type answer struct {
	Host      string  `json:"host"`
	ElapsedMs float64 `json:"elapsedMs"`
	Count     int64   `json:"count"`
	Returned  uint64  `json:"returned"`
}

func main() {
	kernel := must(os.ReadFile(os.Args[1]))
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesThreads).
		WithCompilationCache(wazero.NewCompilationCache())
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var j job
		check(json.Unmarshal(lines.Bytes(), &j))
		check(out.Encode(run(config, kernel, j, os.Args[2])))
	}
}

func run(config wazero.RuntimeConfig, kernel []byte, j job, result string) answer {
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	defer runtime.Close(ctx)
	zero := time.Now()
	now := func() float64 { return ms(time.Since(zero)) }
	must(runtime.NewHostModuleBuilder("clock").NewFunctionBuilder().WithFunc(now).Export("now").Instantiate(ctx))
	env := must(runtime.InstantiateWithConfig(ctx, envModule(uint64(j["pages"])), wazero.NewModuleConfig().WithName("env")))
	module := must(runtime.CompileModule(ctx, kernel))
	instantiate := func() api.Module {
		return must(runtime.InstantiateModule(ctx, module, wazero.NewModuleConfig().WithName(""))) // a name would have to be unique
	}

	host, memory := instantiate(), env.ExportedMemory("memory")
	address := func(name string) uint32 { return api.DecodeU32(host.ExportedGlobal(name).Get()) }
	for name, value := range j {
		if strings.HasPrefix(name, "MANDELBROT_RE_") || strings.HasPrefix(name, "MANDELBROT_IM_") {
			memory.WriteFloat64Le(address(name), value)
		} else if name[0] <= 'Z' {
			memory.WriteUint32Le(address(name), uint32(int64(value)))
		}
	}

	threads := make([]api.Module, int(j["JOB_THREADS"]))
	for t := range threads {
		threads[t] = instantiate()
	}
	bits := make([]uint64, len(threads))
	var all sync.WaitGroup
	start := func() {
		for t, instance := range threads {
			all.Go(func() {
				if j["park"] > 0 {
					must(instance.ExportedFunction("park").Call(ctx, uint64(t), 0))
				}
				bits[t] = must(instance.ExportedFunction("work").Call(ctx, uint64(t)))[0]
			})
		}
	}
	if j["park"] > 0 {
		start()
		time.Sleep(time.Duration(j["park"]) * time.Millisecond)
	}
	begin := time.Now()
	must(host.ExportedFunction("publish").Call(ctx))
	if j["count"] != 0 {
		memory.WriteUint64Le(address("CONTROL_COUNT"), uint64(j["count"]))
	}
	if j["park"] == 0 {
		start()
	}
	all.Wait()
	a := answer{ElapsedMs: ms(time.Since(begin))}

	info, _ := debug.ReadBuildInfo()
	a.Host = "wazero " + info.Deps[0].Version[1:]
	count, _ := memory.ReadUint64Le(address("CONTROL_COUNT"))
	a.Count = int64(count)
	for _, each := range bits {
		a.Returned += each
	}
	bytes, _ := memory.Read(uint32(j["from"]), uint32(j["bytes"]))
	check(os.WriteFile(result, bytes, 0o600))
	return a
}

// envModule is a module with a shared memory of so many pages that passes the clock on: a host module of wazero has no memory,
// and the kernel imports both from "env". As text:
//
//	(module (import "clock" "now" (func (result f64))) (memory (export "memory") pages pages shared) (export "now" (func 0)))
func envModule(pages uint64) []byte {
	memory := binary.AppendUvarint(binary.AppendUvarint([]byte{1, 3}, pages), pages)
	module := []byte("\x00asm\x01\x00\x00\x00\x01\x05\x01\x60\x00\x01\x7c\x02\x0d\x01\x05clock\x03now\x00\x00\x05")
	module = append(append(module, byte(len(memory))), memory...)
	return append(module, "\x07\x10\x02\x06memory\x02\x00\x03now\x00\x00"...)
}

func ms(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1e6
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
