package org.jvirt.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.tools.ToolProvider;

/// A Java program that gives a JVM's compilers, collectors and signal handlers something to do, as class files; and
/// what it must print.
final class JavaProgram {
    private static final String SOURCE = """
            import java.util.*;
            import java.util.concurrent.*;
            import java.util.stream.*;

            public class Busy implements Callable<String> {
                interface Shape { double area(); }
                record Square(double side) implements Shape { public double area() { return side * side; } }
                record Circle(double radius) implements Shape {
                    public double area() { return Math.PI * radius * radius; }
                }
                record Ring(double inner, double outer) implements Shape {
                    public double area() { return Math.PI * (outer * outer - inner * inner); }
                }
                static final class Node { Node next; int value; }

                static int primes(int below) {
                    var composite = new boolean[below];
                    int count = 0;
                    for (int i = 2; i < below; i++) {
                        if (!composite[i]) {
                            count++;
                            for (long j = (long) i * i; j < below; j += i) composite[(int) j] = true;
                        }
                    }
                    return count;
                }

                /** Calls that are monomorphic at first, then not: the compiler's guess is taken back. */
                static double areas(int turns) {
                    double sum = 0;
                    for (int i = 0; i < turns; i++) {
                        Shape odd = i % 2 == 0 ? new Circle(i % 5) : new Ring(i % 3, i % 11);
                        Shape s = i < turns / 2 ? new Square(i % 7) : odd;
                        sum += s.area();
                    }
                    return sum;
                }

                /** Null checks and divisions that the compiler leaves to signal handlers. */
                static int faults(int turns) {
                    int caught = 0;
                    var random = new Random(1);
                    for (int i = 0; i < turns; i++) {
                        Node node = random.nextInt(50) == 0 ? null : new Node();
                        try {
                            node.value = i;
                            caught += node.value / (random.nextInt(40) - 1) % 3;
                        } catch (NullPointerException e) {
                            caught += 7;
                        } catch (ArithmeticException e) {
                            caught += 11;
                        }
                    }
                    return caught;
                }

                static int deep(int n) { return n == 0 ? 0 : 1 + deep(n - 1); }

                static int overflow() {
                    try { return deep(Integer.MAX_VALUE); } catch (StackOverflowError e) { return deep(500); }
                }

                static long garbage(int turns) {
                    var map = new HashMap<String, List<Integer>>();
                    for (int i = 0; i < turns; i++) {
                        map.computeIfAbsent("key" + i % 997, k -> new ArrayList<>()).add(i);
                        if (i % 5000 == 0) map.keySet().removeIf(k -> k.endsWith("3"));
                    }
                    return map.values().stream().flatMap(List::stream).mapToLong(i -> i * 31L).sum();
                }

                static String digest(int turns) throws Exception {
                    var sha = java.security.MessageDigest.getInstance("SHA-256");
                    var crc = new java.util.zip.CRC32();
                    byte[] bytes = new byte[4096];
                    for (int i = 0; i < turns; i++) {
                        Arrays.fill(bytes, i % 100, 4000, (byte) i);
                        sha.update(bytes);
                        crc.update(bytes);
                    }
                    return HexFormat.of().formatHex(sha.digest(), 0, 8) + ":" + crc.getValue();
                }

                static double matrix(int n) {
                    var a = new double[n][n];
                    var b = new double[n][n];
                    for (int i = 0; i < n; i++) {
                        for (int j = 0; j < n; j++) { a[i][j] = i + j; b[i][j] = i - 2 * j; }
                    }
                    double trace = 0;
                    for (int i = 0; i < n; i++) {
                        for (int k = 0; k < n; k++) trace += a[i][k] * b[k][i] % 1001.5;
                    }
                    return trace + Math.sin(n) + Math.pow(1.0001, n);
                }

                @Override
                public String call() throws Exception {
                    return primes(200_000) + " " + areas(120_000) + " " + faults(60_000) + " " + overflow() + " "
                            + garbage(60_000) + " " + digest(150) + " " + matrix(120) + " "
                            + IntStream.range(0, 100_000).parallel().mapToLong(i -> (long) i * i % 17).sum();
                }

                /** All threads do the same, again and again, and must come to the same. */
                public static String result(int rounds) throws Exception {
                    int threads = 4;
                    var pool = Executors.newFixedThreadPool(threads);
                    var answers = new TreeSet<String>();
                    var tasks = Collections.nCopies(rounds * threads, new Busy());
                    for (var f : pool.invokeAll(tasks)) answers.add(f.get());
                    pool.shutdown();
                    return answers.toString();
                }

                public static void main(String[] args) throws Exception {
                    System.out.println(result(Integer.parseInt(args[0])));
                }
            }
            """;

    private final Path classes;

    private JavaProgram(Path classes) {
        this.classes = classes;
    }

    /// Compiles it for Java 17 into a directory.
    static JavaProgram compile(Path directory) throws IOException {
        Path sources = Files.createDirectories(directory.resolve("source"));
        Path source = Files.writeString(sources.resolve("Busy.java"), SOURCE);
        Path classes = Files.createDirectories(directory.resolve("classes"));
        var compiler = ToolProvider.getSystemJavaCompiler();
        int status = compiler.run(null, null, null, "--release", "17", "-d", classes.toString(), source.toString());
        assertThat(status).as("the compiler's exit code").isZero();
        return new JavaProgram(classes);
    }

    /// Where the class files are.
    Path classes() {
        return classes;
    }

    /// What `main` of class `Busy` prints, computed here.
    String expected() throws ReflectiveOperationException, IOException {
        try (var loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
            return (String)
                    loader.loadClass("Busy").getMethod("result", int.class).invoke(null, 1);
        }
    }
}
