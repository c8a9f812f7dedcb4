package org.jvirt.architecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/// The modules, each with the other modules that it may know. A new module is a new line here.
enum JvirtModule {
    CORE("org.jvirt.core"),
    LINUX("org.jvirt.linux", CORE),
    X86("org.jvirt.x86", CORE),
    ENGINE_SOFT("org.jvirt.engine.soft", CORE, LINUX, X86),
    ENGINE_KVM("org.jvirt.engine.kvm", CORE, LINUX),
    DEVICES("org.jvirt.devices", CORE),
    IMAGES("org.jvirt.images", CORE, LINUX),
    MACHINE("org.jvirt.machine", CORE, LINUX, X86, ENGINE_SOFT, ENGINE_KVM, DEVICES, IMAGES),
    CLI("org.jvirt.cli", CORE, LINUX, X86, IMAGES, MACHINE);

    private final String mainPackage;
    private final Set<JvirtModule> mayKnow;

    JvirtModule(String mainPackage, JvirtModule... mayKnow) {
        this.mainPackage = mainPackage;
        this.mayKnow = Set.of(mayKnow);
    }

    /// The module that a class belongs to; empty for classes of others and for packages that no line above names.
    static Optional<JvirtModule> of(JavaClass type) {
        return Arrays.stream(values())
                .filter(module -> isIn(type.getPackageName(), module.mainPackage))
                .findFirst();
    }

    private static boolean isIn(String packageName, String mainPackage) {
        return packageName.equals(mainPackage) || packageName.startsWith(mainPackage + ".");
    }

    String mainPackage() {
        return mainPackage;
    }

    /// The classes of this module.
    DescribedPredicate<JavaClass> classes() {
        return DescribedPredicate.describe("are in " + mainPackage, type -> isIn(type.getPackageName(), mainPackage));
    }

    /// The classes of jvirt that this module must not know.
    DescribedPredicate<JavaClass> forbidden() {
        return DescribedPredicate.describe("belong to a module that " + mainPackage + " must not know", type -> {
            if (!isIn(type.getPackageName(), "org.jvirt")) {
                return false;
            }
            return of(type).map(other -> other != this && !mayKnow.contains(other))
                    .orElse(true);
        });
    }
}
