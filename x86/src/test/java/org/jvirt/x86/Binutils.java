package org.jvirt.x86;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// GNU objdump and as, as independent opinions.
final class Binutils {
    /// A line of objdump: the bytes that it takes for one instruction and their text.
    record Line(int length, String text) {}

    private static final String HINT = "objdump and as are not here; install them with: apt-get install binutils";

    private Binutils() {}

    static boolean available() {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            if (Files.isExecutable(Path.of(directory, "objdump")) && Files.isExecutable(Path.of(directory, "as"))) {
                return true;
            }
        }
        System.err.println(HINT);
        return false;
    }

    static String hint() {
        return HINT;
    }

    /// Disassembles a flat image; the result is keyed by offset.
    static Map<Integer, Line> disassemble(byte[] image, CodeSize mode, Path directory) throws IOException {
        Path file = Files.createTempFile(directory, "code", ".bin");
        Files.write(file, image);
        String machine = switch (mode) {
            case CODE16 -> "i8086";
            case CODE32 -> "i386";
            case CODE64 -> "i386:x86-64";
        };
        List<String> lines = run(
                directory,
                "objdump",
                "-D",
                "-w",
                "-z",
                "-b",
                "binary",
                "-m",
                machine,
                "-M",
                "intel",
                "--insn-width=16",
                file.toString());
        Map<Integer, Line> result = new HashMap<>();
        for (String line : lines) {
            String[] cells = line.split("\t", 3);
            if (cells.length < 2 || !cells[0].strip().endsWith(":")) {
                continue;
            }
            String address = cells[0].strip();
            int offset = Integer.parseInt(address.substring(0, address.length() - 1), 16);
            int length = cells[1].strip().split(" ", -1).length;
            result.put(offset, new Line(length, cells.length < 3 ? "" : normalize(cells[2])));
        }
        return result;
    }

    /// Assembles Intel syntax into a flat image.
    static byte[] assemble(String source, Path directory) throws IOException {
        Path input = Files.createTempFile(directory, "source", ".s");
        Path object = Files.createTempFile(directory, "object", ".o");
        Path output = Files.createTempFile(directory, "text", ".bin");
        Files.writeString(input, ".intel_syntax noprefix\n" + source + "\n", StandardCharsets.US_ASCII);
        run(directory, "as", "--64", "-o", object.toString(), input.toString());
        run(directory, "objcopy", "-O", "binary", "-j", ".text", object.toString(), output.toString());
        return Files.readAllBytes(output);
    }

    static String normalize(String text) {
        String cut = text;
        int comment = cut.indexOf('#');
        if (comment >= 0) {
            cut = cut.substring(0, comment);
        }
        return cut.strip().replaceAll("\\s+", " ").replace(", ", ",");
    }

    private static List<String> run(Path directory, String... command) throws IOException {
        Path log = Files.createTempFile(directory, "out", ".txt");
        Path errors = Files.createTempFile(directory, "err", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectOutput(log.toFile())
                .redirectError(errors.toFile())
                .start();
        try {
            if (!process.waitFor(120, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(command[0] + " did not end within 120 s");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException(command[0] + " was interrupted", e);
        }
        if (process.exitValue() != 0) {
            throw new IOException(command[0] + " failed: " + Files.readString(errors, StandardCharsets.UTF_8));
        }
        return new ArrayList<>(Files.readAllLines(log, StandardCharsets.UTF_8));
    }
}
