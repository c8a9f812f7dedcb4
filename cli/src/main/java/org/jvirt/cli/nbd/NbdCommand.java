package org.jvirt.cli.nbd;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.jvirt.cli.img.SourceOptions;
import org.jvirt.cli.launch.DiskOption;
import org.jvirt.cli.launch.HostObjects;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;
import org.jvirt.images.ImageAccess;
import org.jvirt.images.ImageReference;
import org.jvirt.images.file.CacheMode;
import org.jvirt.images.nbd.NbdAddress;
import org.jvirt.images.nbd.NbdListing;
import org.jvirt.images.nbd.NbdTarget;
import org.jvirt.images.nbd.TlsCredentials;
import org.jvirt.images.nbd.server.NbdServer;
import org.jvirt.images.nbd.server.ServerSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `jvirt nbd`.
@Command(
        name = "nbd",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 100,
        description = {
            "Serves disk images over the NBD protocol, as qemu-nbd does, until the last client has left (-t: until",
            "it is stopped). Several disks: --export for each. With -L: lists what a server offers."
        })
public final class NbdCommand implements Callable<Integer> {
    /// How long an end by signal waits for what is under way.
    private static final long GRACE_SECONDS = 60;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "IMAGE", description = "The disk to be served, of any format.")
    private @Nullable String image;

    @Mixin
    private final ServePlace place = new ServePlace();

    @Option(
            names = {"-x", "--export-name"},
            paramLabel = "NAME",
            defaultValue = "",
            description = "The name clients ask for (the empty one).")
    private String exportName = "";

    @Option(
            names = {"-D", "--description"},
            paramLabel = "TEXT",
            defaultValue = "",
            description = "What people are told of the export.")
    private String description = "";

    @Option(
            names = {"-r", "--read-only"},
            description = "Clients may only read.")
    private boolean readOnly;

    @Option(
            names = {"-s", "--snapshot"},
            description = "Keep writes in memory (up to 1 GiB); the image stays clean.")
    private boolean snapshot;

    @Option(
            names = {"-l", "--load-snapshot"},
            paramLabel = "SNAPSHOT",
            description = "Serve an internal snapshot, read-only.")
    private @Nullable String loadSnapshot;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "The image's format; looked up where missing.")
    private @Nullable String format;

    @Option(names = "--image-opts", description = "IMAGE is a list of options: driver=qcow2,file.filename=PATH.")
    private boolean imageOptions;

    @Option(names = "--cache", paramLabel = "MODE", defaultValue = "writeback", description = "Cache mode.")
    private String cache = "";

    @Option(
            names = {"-n", "--nocache"},
            description = "As --cache none.")
    private boolean noCache;

    @Option(
            names = "--discard",
            paramLabel = "unmap|ignore",
            defaultValue = "unmap",
            description = "What trimming does (${DEFAULT-VALUE}).")
    private String discard = "";

    @Option(
            names = {"-e", "--shared"},
            paramLabel = "N",
            defaultValue = "1",
            description = "Clients at once (${DEFAULT-VALUE}); 0: 256.")
    private int shared;

    @Option(
            names = {"-t", "--persistent"},
            description = "Go on when the last client has left.")
    private boolean persistent;

    @Option(
            names = {"-B", "--bitmap"},
            paramLabel = "NAME",
            description = "Show a dirty bitmap of the image; repeat for more.")
    private List<String> bitmaps = new ArrayList<>();

    @Option(
            names = {"-A", "--allocation-depth"},
            description = "Show which layer of the chain has a block.")
    private boolean depth;

    @Option(
            names = "--export",
            paramLabel = "image=PATH[,name=NAME][,...]",
            description = "One more disk; further keys: description, format, cache, discard, readonly, snapshot,"
                    + " load-snapshot, bitmap=A:B, allocation-depth.")
    private List<String> exports = new ArrayList<>();

    @Option(
            names = "--object",
            paramLabel = "OBJECT",
            description = "secret,id=NAME,file=PATH, or tls-creds-x509,id=NAME,dir=FOLDER,endpoint=server.")
    private List<String> objects = new ArrayList<>();

    @Option(names = "--tls-creds", paramLabel = "ID", description = "Certificates: all connections use TLS.")
    private @Nullable String tlsCredentials;

    @Option(
            names = "--handshake-limit",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "Until an export is chosen.")
    private int handshakeSeconds;

    @Option(names = "--allow-network-backing", description = "Let images name served disks as the layers below them.")
    private boolean networkBacking;

    @Option(names = "--pid-file", paramLabel = "PATH", description = "Holds the process id while clients may connect.")
    private @Nullable Path pidFile;

    @Option(
            names = {"-L", "--list"},
            description = "List the exports of another server.")
    private boolean list;

    @Option(names = "--fork", hidden = true)
    private boolean fork;

    @Option(
            names = {"-c", "--connect"},
            hidden = true)
    private @Nullable String device;

    @Override
    public Integer call() {
        refuseWhatIsNot();
        HostObjects given = HostObjects.all(objects);
        NbdAddress address = place.address();
        Optional<TlsCredentials> tls = Optional.ofNullable(tlsCredentials).map(given.network()::named);
        if (list) {
            list(address, tls);
            return 0;
        }
        place.refuseOpenDoor(address, tls.isPresent());
        serve(address, tls, (networkBacking ? given.allowingNetworkBacking() : given).access());
        return 0;
    }

    private void refuseWhatIsNot() {
        if (fork) {
            throw new UserErrorException("--fork is not supported; let the shell do it: jvirt nbd … &");
        }
        if (device != null) {
            throw new UserErrorException(
                    "--connect is not supported; serve on a socket and run: nbd-client -unix SOCKET %s"
                            .formatted(device));
        }
        if (list == (image != null || !exports.isEmpty())) {
            throw new UserErrorException(
                    list ? "-L takes no image." : "Name the image to be served, or give --export.");
        }
    }

    private List<ExportOption> wanted() {
        List<ExportOption> wanted = new ArrayList<>();
        if (image != null) {
            ImageReference reference = SourceOptions.reference(image, imageOptions);
            wanted.add(new ExportOption(
                    reference,
                    exportName,
                    description,
                    Optional.ofNullable(format).map(name -> DiskOption.format("--format", name)),
                    noCache ? CacheMode.NONE : DiskOption.cache("--cache", cache),
                    ExportOption.discard("--discard", discard),
                    readOnly,
                    snapshot,
                    Optional.ofNullable(loadSnapshot),
                    bitmaps,
                    depth));
        }
        exports.forEach(text -> wanted.add(ExportOption.parse(text)));
        return wanted;
    }

    private void serve(NbdAddress address, Optional<TlsCredentials> tls, ImageAccess access) {
        List<OpenExport> open = new ArrayList<>();
        var ended = new CountDownLatch(1);
        try {
            for (ExportOption option : wanted()) {
                open.add(OpenExport.open(option, access));
            }
            var settings = new ServerSettings(
                    open.stream().map(OpenExport::export).toList(),
                    tls,
                    shared == 0 ? ServerSettings.MOST_CONNECTIONS : shared,
                    Duration.ofSeconds(Math.clamp(handshakeSeconds, 1, 3600)));
            try (NbdServer server = NbdServer.start(address, settings)) {
                if (!endsBySignal(server, ended)) {
                    return;
                }
                announce(server.address(), settings, tls.isPresent());
                writePidFile();
                if (persistent) {
                    server.awaitClose();
                } else {
                    server.awaitLastClient();
                }
            }
        } catch (IOException e) {
            throw new HostFailureException("Cannot end the server at %s: %s".formatted(address, e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            closeAll(open);
            ended.countDown();
        }
    }

    /// @return whether there is still something to be served: the program may be ending already
    private static boolean endsBySignal(NbdServer server, CountDownLatch ended) {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> endBySignal(server, ended), "nbd-end"));
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private static void endBySignal(NbdServer server, CountDownLatch ended) {
        try {
            server.close();
            // The images are closed by the thread that opened them: what they keep in memory must reach their files.
            var _ = ended.await(GRACE_SECONDS, TimeUnit.SECONDS);
        } catch (IOException e) {
            System.err.println("jvirt: cannot end the server: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void announce(NbdAddress address, ServerSettings settings, boolean encrypted) {
        PrintWriter out = spec.commandLine().getOut();
        String scheme = encrypted ? "nbds" : "nbd";
        settings.exports()
                .forEach(export -> out.println("jvirt: serving %s at %s"
                        .formatted(
                                export.disk().name(),
                                switch (address) {
                                    case NbdAddress.Unix(Path path) ->
                                        "%s+unix:///%s?socket=%s".formatted(scheme, export.name(), path);
                                    case NbdAddress.Tcp tcp -> "%s://%s/%s".formatted(scheme, tcp, export.name());
                                })));
        out.flush();
    }

    /// Others wait for the file: it is there with its content, or not at all.
    private void writePidFile() {
        if (pidFile == null) {
            return;
        }
        Path young = Path.of(pidFile + ".new");
        try {
            Files.writeString(young, ProcessHandle.current().pid() + "\n");
            Files.move(young, pidFile, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new HostFailureException(
                    "Cannot write the process id to %s by way of %s: %s".formatted(pidFile, young, e.getMessage()), e);
        }
    }

    private void closeAll(List<OpenExport> open) {
        for (OpenExport each : open) {
            try {
                each.close();
            } catch (IOException e) {
                throw new HostFailureException(
                        "Cannot close %s: %s".formatted(each.disk().name(), e.getMessage()), e);
            }
        }
        if (pidFile != null) {
            try {
                Files.deleteIfExists(pidFile);
            } catch (IOException e) {
                throw new HostFailureException("Cannot remove %s: %s".formatted(pidFile, e.getMessage()), e);
            }
        }
    }

    private void list(NbdAddress address, Optional<TlsCredentials> tls) {
        NbdTarget target = NbdTarget.of(address, tls);
        ListingText.print(NbdListing.of(target), spec.commandLine().getOut());
    }
}
