package org.jvirt.cli.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.jvirt.cli.img.ImgCommand;
import org.jvirt.core.UserErrorException;
import picocli.CommandLine;

/// `jvirt nbd` and `jvirt img` on its disks, beside QEMU's tools.
@Timeout(180)
class NbdCommandTest {
    private static final int DISK_BYTES = 8 << 20;

    @TempDir
    Path folder;

    private byte[] content;
    private Thread server = new Thread(() -> {});

    @BeforeEach
    void makeDisk() throws IOException {
        content = new byte[DISK_BYTES];
        new Random(6).nextBytes(content);
        Arrays.fill(content, 1 << 20, 3 << 20, (byte) 0);
        Files.write(folder.resolve("disk.raw"), content);
        img("convert -f raw -O qcow2 @disk.raw @disk.qcow2");
    }

    @AfterEach
    void endServer() throws InterruptedException {
        server.interrupt();
        server.join();
    }

    private record Result(int code, String out, String err) {}

    private List<String> words(String command) {
        return List.of(command.replace("@", folder + "/").split(" "));
    }

    private Result run(CommandLine command, String line) {
        var out = new StringWriter();
        var err = new StringWriter();
        int code = command.setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .setExecutionExceptionHandler((exception, commandLine, parsed) -> {
                    if (exception instanceof UserErrorException) {
                        err.write(String.valueOf(exception.getMessage()));
                        return 64;
                    }
                    throw exception;
                })
                .execute(words(line).toArray(String[]::new));
        return new Result(code, out.toString(), err.toString());
    }

    private String img(String line) {
        Result result = run(ImgCommand.line(words(line).getFirst()), line);
        assertThat(result.code).as(result.toString()).isZero();
        return result.out;
    }

    private Result nbd(String line) {
        return run(new CommandLine(new NbdCommand()), line);
    }

    /// Serves in a thread of its own until the last client has left.
    private FutureTask<Result> serve(String line) throws Exception {
        var served = new FutureTask<>(() -> nbd(line + " --socket=@nbd.sock"));
        server = Thread.ofPlatform().daemon().start(served);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!Files.exists(folder.resolve("nbd.sock"))) {
            assertThat(System.nanoTime()).isLessThan(end);
            if (served.isDone()) {
                throw new AssertionError(served.get());
            }
            Thread.onSpinWait();
        }
        return served;
    }

    private String tool(String... command) {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin", command[0])),
                "SKIPPED: " + command[0] + " is missing: apt-get install qemu-utils libnbd-bin");
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
            return output;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private String uri(String export) {
        return "nbd+unix:///%s?socket=%s/nbd.sock".formatted(export, folder);
    }

    @Test
    void everyVerbWorksOnAServedDisk() throws Exception {
        FutureTask<Result> served = serve("-f qcow2 -t -e 4 @disk.qcow2");
        assertThat(img("info --output=json " + uri("")))
                .contains("\"virtual-size\": 8388608", "\"format\": \"raw\"")
                .contains(uri(""));
        assertThat(img("map --output=json " + uri("")))
                .contains("\"start\": 1048576, \"length\": 2097152, \"depth\": 0, \"present\": true, \"zero\": true");
        img("convert -O raw %s @back.raw".formatted(uri("")));
        assertThat(Files.readAllBytes(folder.resolve("back.raw"))).isEqualTo(content);
        assertThat(img("compare %s @disk.raw".formatted(uri("")))).contains("identical");
        img("measure -O qcow2 " + uri(""));
        img("bench -c 100 -w -S 4096 " + uri(""));
        img("dd bs=1M count=1 if=%s of=@first.raw".formatted(uri("")));
        img("convert -f raw -n -O raw @disk.raw " + uri(""));
        assertThat(img("compare %s @disk.raw".formatted(uri("")))).contains("identical");
        img("create -f qcow2 -b %s -F raw @top.qcow2".formatted(uri("")));
        Result refused = run(ImgCommand.line("map"), "map @top.qcow2".replace("@", folder + "/"));
        assertThat(refused.err).contains("--allow-network-backing");
        assertThat(img("compare --allow-network-backing @top.qcow2 @disk.raw")).contains("identical");
        assertThat(served).isNotDone();
    }

    @Test
    void theServerEndsWithItsLastClientAndTheImageIsWhole() throws Exception {
        FutureTask<Result> served = serve("@disk.qcow2 --pid-file=@pid");
        while (!Files.exists(folder.resolve("pid"))) {
            Thread.onSpinWait();
        }
        assertThat(Files.readString(folder.resolve("pid")).trim())
                .isEqualTo("" + ProcessHandle.current().pid());
        tool("qemu-io", "-f", "raw", "-c", "write -P 5 0 64k", uri(""));
        Result result = served.get(60, TimeUnit.SECONDS);
        assertThat(result.code).isZero();
        assertThat(result.out).contains("serving", "nbd+unix:///?socket=");
        assertThat(folder.resolve("nbd.sock")).doesNotExist();
        assertThat(folder.resolve("pid")).doesNotExist();
        tool("qemu-img", "check", folder.resolve("disk.qcow2").toString());
        tool(
                "qemu-io",
                "-r",
                "-f",
                "qcow2",
                "-c",
                "read -P 5 0 64k",
                folder.resolve("disk.qcow2").toString());
    }

    @Test
    void aSnapshotKeepsTheImageCleanAndAnInternalOneIsServedAsItWas() throws Exception {
        img("snapshot -c before @disk.qcow2");
        img("bench -c 1 -w -s 65536 --pattern 7 -f qcow2 @disk.qcow2");
        FutureTask<Result> served = serve("--export image=@disk.qcow2,name=old,load-snapshot=before --export"
                + " image=@disk.raw,name=scratch,snapshot=on,format=raw -t -e 4");
        img("convert -O raw %s @old.raw".formatted(uri("old")));
        assertThat(Files.readAllBytes(folder.resolve("old.raw"))).isEqualTo(content);
        tool("qemu-io", "-f", "raw", "-c", "write -P 5 0 64k", "-c", "read -P 5 0 64k", uri("scratch"));
        assertThat(Files.readAllBytes(folder.resolve("disk.raw"))).isEqualTo(content);
        assertThat(served).isNotDone();
    }

    @Test
    void listingReadsAsQemusDoes() throws Exception {
        FutureTask<Result> served = serve("-t -e 4 -r -A -D words -x name @disk.qcow2");
        String ours = nbd("-L --socket=@nbd.sock").out;
        assertThat(ours.lines().toList())
                .isEqualTo(
                        tool("qemu-nbd", "-L", "-k", folder.resolve("nbd.sock").toString())
                                .lines()
                                .toList());
        assertThat(served).isNotDone();
    }

    @Test
    void whatThereIsNotAndWhatWouldBeAnOpenDoorIsRefused() {
        var refusals = new ArrayList<String>();
        for (String line : List.of(
                "@disk.raw --fork",
                "@disk.raw --connect=/dev/nbd0",
                "",
                "-L @disk.raw",
                "@disk.raw --bind=0.0.0.0 -p 0",
                "@disk.raw -k @x.sock -p 5",
                "@disk.raw -k @x.sock --tls-creds=t",
                "@disk.raw -k @x.sock --discard=perhaps",
                "@disk.raw -k @x.sock -e 1000",
                "@disk.qcow2 -k @x.sock -B none",
                "@disk.qcow2 -k @x.sock -l none",
                "@missing -k @x.sock",
                "@disk.raw -k @nowhere/x.sock")) {
            Result result = nbd(line.strip());
            assertThat(result.code).as(line + " " + result).isEqualTo(64);
            refusals.add(result.err);
        }
        assertThat(refusals.get(4)).contains("--tls-creds", "--insecure");
        assertThat(refusals.get(6)).contains("--object tls-creds-x509");
    }
}
