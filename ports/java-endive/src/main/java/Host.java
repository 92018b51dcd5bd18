import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.regex.Pattern;
import run.endive.compiler.MachineFactoryCompiler;
import run.endive.runtime.ByteBufferMemory;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportMemory;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Instance;
import run.endive.runtime.Machine;
import run.endive.runtime.Memory;
import run.endive.wasm.Parser;
import run.endive.wasm.WasmModule;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.MemoryLimits;
import run.endive.wasm.types.ValType;

/**
 * A host of the allcores kernel on Endive, as docs/abi.md tells: java Host KERNEL RESULT. It reads a job a line from standard input,
 * runs it on threads, and answers with a line. Whatever fails ends it.
 */
public final class Host {
    private static final Pattern MEMBER = Pattern.compile("\"(\\w+)\":([^,}]+)");
    /** A memory is a ByteBuffer, whose size is an int. */
    private static final int MOST_PAGES = 32767;

    private final WasmModule module;
    private final Function<Instance, Machine> machines;
    private final ExecutorService executor = Executors.newCachedThreadPool();

    private Host(Path kernel) throws IOException {
        module = Parser.parse(Files.readAllBytes(kernel));
        machines = MachineFactoryCompiler.compile(module);
    }

    public static void main(String[] arguments) throws Exception {
        var host = new Host(Path.of(arguments[0]));
        var input = new BufferedReader(new InputStreamReader(System.in));
        for (var line = input.readLine(); line != null; line = input.readLine()) {
            Map<String, Double> job = new LinkedHashMap<>();
            MEMBER.matcher(line).results().forEach(member -> job.put(member.group(1), Double.valueOf(member.group(2))));
            System.out.println(host.run(job, Path.of(arguments[1])));
        }
        host.executor.shutdown();
    }

    private String run(Map<String, Double> job, Path result) throws Exception {
        int pages = job.get("pages").intValue();
        if (pages > MOST_PAGES) {
            return "{\"unsupported\":\"a memory of Endive has " + MOST_PAGES + " pages at most\"}";
        }
        var memory = new ByteBufferMemory(new MemoryLimits(pages, pages, true));
        var kernel = instantiate(memory);
        job.forEach((name, value) -> {
            if (name.startsWith("MANDELBROT_RE_") || name.startsWith("MANDELBROT_IM_")) {
                memory.writeF64(constant(kernel, name), value);
            } else if (Character.isUpperCase(name.charAt(0))) {
                memory.writeI32(constant(kernel, name), (int) value.longValue());
            }
        });

        int park = job.get("park").intValue();
        List<Callable<Long>> threads = new ArrayList<>();
        for (int t = 0; t < job.get("JOB_THREADS"); t++) {
            int thread = t;
            var instance = instantiate(memory); // one instance a thread: Endive's are not for several
            threads.add(() -> {
                if (park > 0) {
                    instance.export("park").apply(thread, 0);
                }
                return instance.export("work").apply(thread)[0];
            });
        }
        List<Future<Long>> team = new ArrayList<>();
        if (park > 0) {
            threads.forEach(thread -> team.add(executor.submit(thread)));
            Thread.sleep(park);
        }
        long begin = System.nanoTime();
        kernel.export("publish").apply();
        if (job.get("count") != 0) {
            memory.writeLong(constant(kernel, "CONTROL_COUNT"), job.get("count").longValue());
        }
        if (park == 0) {
            threads.forEach(thread -> team.add(executor.submit(thread)));
        }
        long returned = 0;
        for (var thread : team) {
            returned += thread.get();
        }
        double elapsedMs = (System.nanoTime() - begin) / 1e6;

        Files.write(result, memory.readBytes(job.get("from").intValue(), job.get("bytes").intValue()));
        long count = memory.readLong(constant(kernel, "CONTROL_COUNT"));
        var jar = WasmModule.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return String.format(Locale.ROOT, "{\"host\":\"Endive %s, Java %s\",\"elapsedMs\":%.6f,\"count\":%d,\"returned\":%d}",
                jar.replaceAll(".*-|\\.jar$", ""), Runtime.version().feature(), elapsedMs, count, returned);
    }

    private Instance instantiate(Memory memory) {
        var now = new HostFunction("env", "now", FunctionType.returning(ValType.F64),
                (instance, arguments) -> new long[] {Double.doubleToRawLongBits(System.nanoTime() / 1e6)});
        var imports = ImportValues.builder().addMemory(new ImportMemory("env", "memory", memory)).addFunction(now).build();
        return Instance.builder(module).withImportValues(imports).withMachineFactory(machines).build();
    }

    private static int constant(Instance kernel, String name) {
        return (int) kernel.exports().global(name).getValue();
    }
}
