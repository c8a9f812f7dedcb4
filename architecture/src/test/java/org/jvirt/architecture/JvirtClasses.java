package org.jvirt.architecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

/// The class files that the rules look at, read once.
final class JvirtClasses {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .withImportOption(location -> !location.contains("/org/jvirt/architecture/"))
            .withImportOption(location -> !location.contains("/org/jvirt/testkit/"))
            .importPackages("org.jvirt");

    private static final JavaClasses SAMPLES = new ClassFileImporter().importPackages("org.jvirt.architecture.samples");

    private JvirtClasses() {}

    /// The main code of all modules.
    static JavaClasses main() {
        return MAIN;
    }

    /// Classes that break the rules.
    static JavaClasses samples() {
        return SAMPLES;
    }
}
