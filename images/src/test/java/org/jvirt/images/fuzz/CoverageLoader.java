package org.jvirt.images.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Loads the classes of the tested packages anew, each block of code beginning with a call of [EdgeCounters#hit].
final class CoverageLoader extends ClassLoader {
    private static final String TESTED = "org.jvirt.images.";
    private static final String HARNESS = "org.jvirt.images.fuzz.";
    private static final String AIDS = "org.jvirt.images.testing.";
    private static final ClassDesc COUNTERS =
            EdgeCounters.class.describeConstable().orElseThrow();
    private static final MethodTypeDesc HIT = MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int);

    private final ClassLoader plain;

    CoverageLoader(ClassLoader plain) {
        super(plain);
        this.plain = plain;
    }

    /// An instance of a target, with the code that it tests.
    FuzzTarget target(String name, String argument) {
        try {
            Class<?> type = loadClass(name);
            return (FuzzTarget)
                    (argument.isEmpty()
                            ? type.getDeclaredConstructor().newInstance()
                            : type.getDeclaredConstructor(String.class).newInstance(argument));
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            boolean shared =
                    name.startsWith(HARNESS) && !name.endsWith("Target") || name.equals(HARNESS + "FuzzTarget");
            if (!name.startsWith(TESTED) || shared) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? define(name) : loaded;
        }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
        byte[] code = read(name);
        if (code == null) {
            throw new ClassNotFoundException(name);
        }
        boolean aid = name.startsWith(HARNESS) || name.startsWith(AIDS) || name.endsWith("Target");
        byte[] counted = aid ? code : instrument(name, code);
        return defineClass(name, counted, 0, counted.length);
    }

    private byte @Nullable [] read(String name) {
        try (InputStream in = plain.getResourceAsStream(name.replace('.', '/') + ".class")) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// Blocks are numbered alike in each run.
    private static byte[] instrument(String name, byte[] code) {
        var numbers = new Random(name.hashCode());
        ClassFile files = ClassFile.of();
        CodeTransform counting = CodeTransform.ofStateful(() -> (builder, element) -> {
            builder.with(element);
            if (element instanceof LabelTarget) {
                builder.loadConstant(numbers.nextInt(EdgeCounters.SIZE)).invokestatic(COUNTERS, "hit", HIT);
            }
        });
        return files.transformClass(files.parse(code), ClassTransform.transformingMethodBodies(counting));
    }
}
