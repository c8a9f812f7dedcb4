package org.jvirt.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// SPECIFICATION.md names only tests that exist, and gives each promise a number of its own.
class SpecificationTest {
    private static final Path ROOT = Path.of(System.getProperty("jvirt.root", ".."));
    private static final Pattern REFERENCE = Pattern.compile("`(\\w+)#(\\w+)`");
    private static final Pattern TEST_METHOD = Pattern.compile("(?m)^    (?:public )?void (\\w+)\\(");
    /// How the page itself explains the form.
    private static final String FORM = "Class#method";
    private static final Pattern PROMISE = Pattern.compile("(?m)^- \\*\\*(S-[A-Z]+-\\d+)\\*\\*");

    @Test
    void everyNamedTestExists() throws IOException {
        Map<String, Set<String>> tests = testsByClass();
        var missing = new ArrayList<String>();
        Matcher reference = REFERENCE.matcher(specification());
        int count = 0;
        while (reference.find()) {
            count++;
            if (reference.group().contains(FORM)) {
                continue;
            }
            if (!tests.getOrDefault(reference.group(1), Set.of()).contains(reference.group(2))) {
                missing.add(reference.group());
            }
        }
        assertThat(missing).isEmpty();
        assertThat(count).isGreaterThan(100);
    }

    @Test
    void everyPromiseHasItsOwnNumberAndAProof() throws IOException {
        String specification = specification();
        List<String> numbers =
                PROMISE.matcher(specification).results().map(m -> m.group(1)).toList();
        assertThat(numbers).doesNotHaveDuplicates().hasSizeGreaterThan(100);
        for (String promise : specification.split("(?m)^(?=- \\*\\*S-)")) {
            if (PROMISE.matcher(promise).lookingAt()) {
                assertThat(promise.split("\n\n", 2)[0]).contains("→");
            }
        }
    }

    private static String specification() throws IOException {
        return Files.readString(ROOT.resolve("SPECIFICATION.md"));
    }

    private static Map<String, Set<String>> testsByClass() throws IOException {
        var tests = new HashMap<String, Set<String>>();
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path module : modules.toList()) {
                Path sources = module.resolve("src/test/java");
                if (Files.isDirectory(sources)) {
                    addTests(sources, tests);
                }
            }
        }
        addTests(ROOT.resolve("testkit/src/main/java"), tests);
        return tests;
    }

    private static void addTests(Path sources, Map<String, Set<String>> tests) throws IOException {
        try (Stream<Path> files = Files.walk(sources)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                String name = file.getFileName().toString().replace(".java", "");
                Matcher method = TEST_METHOD.matcher(Files.readString(file));
                Set<String> methods = tests.computeIfAbsent(name, n -> new HashSet<>());
                while (method.find()) {
                    methods.add(method.group(1));
                }
            }
        }
    }
}
