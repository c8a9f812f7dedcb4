package org.jvirt.cli.image;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jvirt.cli.debian.HostCommand;
import org.jvirt.core.HostFailureException;
import org.jvirt.core.UserErrorException;

/// What apt would install on a machine that has nothing yet: chosen from this machine's own package sources and
/// checked against their signatures, but with a state of its own, so that neither root is needed nor the machine's
/// own packages count.
///
/// Package lists that the machine has are used; where they lack the suite or are out of date, lists of our own are
/// fetched into the cache. Not thread-safe.
final class AptSelection {
    /// `Inst libc6 (2.36-9 Debian:12.1/stable [amd64])`: apt-get's simulation, in the order of installation.
    private static final Pattern INSTALL = Pattern.compile("(?m)^Inst ([a-z0-9][a-z0-9+.-]+) ");

    /// `'http://…' libc6_2.36-9_amd64.deb 2755920 SHA256:…`: apt-get --print-uris.
    private static final Pattern URI = Pattern.compile("(?m)^'[^']+' (([a-z0-9][a-z0-9+.-]+)_\\S+\\.deb) (\\d+) ");

    private static final String ESSENTIAL = "?essential";

    private final String suite;
    private final Path cache;
    private final Consumer<String> progress;
    private final List<String> options = new ArrayList<>();

    /// @param suite    Debian's code name, such as `bookworm`
    /// @param cache    an existing directory; holds downloaded packages from one call to the next
    /// @param progress told what is being done, a line each
    AptSelection(String suite, Path cache, Consumer<String> progress) {
        this.suite = suite;
        this.cache = cache;
        this.progress = progress;
    }

    /// Chooses the essential packages, those asked for, and all they depend on, and downloads them.
    ///
    /// Only one process at a time works in a cache; others wait.
    ///
    /// @return in an order in which dpkg can install them
    List<PackageFile> download(List<String> wanted) {
        requireApt();
        try (var lock = FileChannel.open(
                        cache.resolve("jvirt.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var held = lock.lock()) {
            if (!held.isValid()) {
                throw new IllegalStateException("A lock just taken is not valid");
            }
            prepare();
            return fetch(wanted);
        } catch (IOException e) {
            throw new HostFailureException("Cannot keep packages in %s: %s".formatted(cache, e), e);
        }
    }

    /// Lines for the new system's `/etc/apt/sources.list`: where its packages came from. After [#download].
    List<String> sources() {
        Matcher lines = Pattern.compile("(?m)^(\\S+) (%s\\S*) (\\S+) Debian.*$".formatted(Pattern.quote(suite)))
                .matcher(indexTargets());
        var sources = new LinkedHashSet<String>();
        while (lines.find()) {
            sources.add("deb %s %s %s".formatted(lines.group(1), lines.group(2), lines.group(3)));
        }
        return List.copyOf(sources);
    }

    private static void requireApt() {
        for (String program : List.of("/usr/bin/apt-get", "/usr/bin/dpkg-deb")) {
            if (!Files.isExecutable(Path.of(program))) {
                throw new UserErrorException(
                        "Cannot build a Debian image: %s is not there. Build on Debian or Ubuntu, or install apt and dpkg."
                                .formatted(program));
            }
        }
    }

    private void prepare() throws IOException {
        Files.createDirectories(cache.resolve("archives/partial"));
        Path status = cache.resolve("status");
        Files.writeString(status, "");
        // Other vendors' packages, and other releases of Debian's, have no place in the image.
        Path preferences = cache.resolve("preferences-" + suite);
        Files.writeString(preferences, """
                Package: *
                Pin: release o=Debian,n=%1$s
                Pin-Priority: 900

                Package: *
                Pin: release o=Debian,n=%1$s-*
                Pin-Priority: 900

                Package: *
                Pin: release o=*
                Pin-Priority: -1
                """.formatted(suite));
        option("Dir::State::status=" + status);
        option("Dir::State::extended_states=" + cache.resolve("extended_states"));
        option("Dir::Cache=" + cache);
        option("Dir::Cache::archives=" + cache.resolve("archives"));
        option("Dir::Etc::preferences=" + preferences);
        option("Dir::Etc::preferencesparts=/dev/null");
        option("APT::Architecture=amd64");
        option("APT::Architectures=amd64");
        option("APT::Install-Recommends=false");
        option("APT::Sandbox::User=" + System.getProperty("user.name"));
        option("APT::Get::List-Cleanup=false");
    }

    private void option(String text) {
        options.add("-o");
        options.add(text);
    }

    private List<PackageFile> fetch(List<String> wanted) throws IOException {
        if (!offersSuite()) {
            refresh("This machine's package lists do not hold Debian " + suite);
        }
        if (!offersSuite()) {
            throw new UserErrorException(
                    "The package sources of this machine (/etc/apt) offer no Debian %s for amd64. Add such a source, or name another release with --suite."
                            .formatted(suite));
        }
        var all = new ArrayList<>(List.of("install", ESSENTIAL));
        all.addAll(wanted);
        var uris = files(all);
        progress.accept("Fetching %d packages".formatted(uris.size()));
        HostCommand.Result downloaded = install("--download-only", all);
        if (downloaded.exitCode() != 0) {
            // The mirror has moved on since the lists were fetched.
            refresh("The package lists seem out of date");
            uris = files(all);
            downloaded = install("--download-only", all);
        }
        if (downloaded.exitCode() != 0) {
            throw new HostFailureException("Cannot download the packages: apt-get ended with %d:%n%s"
                    .formatted(downloaded.exitCode(), downloaded.output().strip()));
        }
        Set<String> essential = new HashSet<>(inOrder(List.of("install", ESSENTIAL)));
        var packages = new ArrayList<PackageFile>();
        for (String name : inOrder(all)) {
            String file = uris.get(name);
            if (file == null) {
                throw new HostFailureException("apt-get would install %s but names no file for it".formatted(name));
            }
            packages.add(new PackageFile(name, cache.resolve("archives").resolve(file), essential.contains(name)));
        }
        return List.copyOf(packages);
    }

    private boolean offersSuite() {
        return Pattern.compile("(?m)^\\S+ %s \\S+ Debian$".formatted(Pattern.quote(suite)))
                .matcher(indexTargets())
                .find();
    }

    private String indexTargets() {
        return apt(List.of(
                        "indextargets",
                        "--format",
                        "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)",
                        "Created-By: Packages"))
                .output();
    }

    private void refresh(String why) throws IOException {
        progress.accept(why + ": fetching lists (apt-get update)");
        Files.createDirectories(cache.resolve("lists/partial"));
        option("Dir::State::lists=" + cache.resolve("lists"));
        HostCommand.Result result = apt(List.of("update"));
        if (result.exitCode() != 0) {
            throw new HostFailureException("apt-get update ended with %d:%n%s"
                    .formatted(result.exitCode(), result.output().strip()));
        }
    }

    /// File names by package.
    private Map<String, String> files(List<String> words) throws IOException {
        // Only what is not there yet has an address: ask as if nothing were.
        Path none = Files.createDirectories(cache.resolve("none/partial")).getParent();
        var command = new ArrayList<>(List.of("-y", "--print-uris", "-o", "Dir::Cache::archives=" + none));
        command.addAll(words);
        Matcher matcher = URI.matcher(succeeding(command));
        var files = new HashMap<String, String>();
        while (matcher.find()) {
            files.put(matcher.group(2), matcher.group(1));
        }
        return files;
    }

    private List<String> inOrder(List<String> words) {
        var command = new ArrayList<>(List.of("-s"));
        command.addAll(words);
        Matcher matcher = INSTALL.matcher(succeeding(command));
        var names = new ArrayList<String>();
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }

    private HostCommand.Result install(String option, List<String> words) {
        var command = new ArrayList<>(List.of("-y", option));
        command.addAll(words);
        return apt(command);
    }

    private String succeeding(List<String> words) {
        HostCommand.Result result = apt(words);
        if (result.exitCode() != 0) {
            throw new UserErrorException("apt finds no way to install these packages from Debian %s:%n%s"
                    .formatted(suite, result.output().strip()));
        }
        return result.output();
    }

    private HostCommand.Result apt(List<String> words) {
        var command = new ArrayList<>(List.of("apt-get", "-q"));
        command.addAll(options);
        command.addAll(words);
        return HostCommand.run(Path.of("/"), command);
    }
}
