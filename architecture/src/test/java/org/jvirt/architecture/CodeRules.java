package org.jvirt.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.lang.ArchRule;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What is forbidden everywhere, or reserved to one module. [CodeRulesTest] shows of each rule that jvirt keeps it
/// and that it bites.
enum CodeRules {
    NATIVE_CALLS_ONLY_IN_LINUX(noClasses()
            .that(outside(JvirtModule.LINUX))
            .should()
            .accessTargetWhere(isRestricted())
            .because("one wrong call there takes the JVM down: such calls are kept, and justified, in one module")),

    EXIT_ONLY_IN_CLI(noClasses()
            .that(outside(JvirtModule.CLI))
            .should()
            .accessTargetWhere(isOneOf(
                    "the end of the process",
                    Map.of(System.class, List.of("exit"), Runtime.class, List.of("exit", "halt"))))
            .because("jvirt is a library, too: only the command may end the process")),

    STANDARD_STREAMS_ONLY_IN_CLI(noClasses()
            .that(outside(JvirtModule.CLI))
            .should()
            .accessTargetWhere(isOneOf("a standard stream", Map.of(System.class, List.of("in", "out", "err"))))
            .orShould()
            .accessTargetWhere(describe("printStackTrace()", CodeRules::printsStackTrace))
            .because("libraries report through exceptions and System.Logger")),

    NO_SLEEP(noClasses()
            .should()
            .accessTargetWhere(isOneOf("a sleep", Map.of(Thread.class, List.of("sleep"))))
            .because("a sleep is a guess: wait for the event")),

    NO_LOGGING_LIBRARY_BELOW_CLI(noClasses()
            .that(outside(JvirtModule.CLI))
            .should()
            .dependOnClassesThat(
                    areInPackages("java.util.logging", "org.slf4j", "ch.qos.logback", "org.apache.logging"))
            .because("the program that embeds jvirt chooses one; libraries use System.Logger")),

    ACCESSORS_WITHOUT_GET(noMethods()
            .that(describe("are not inherited from others", CodeRules::isOwnName))
            .and()
            .haveRawParameterTypes(describe("none", List::isEmpty))
            .should()
            .haveNameMatching("get[A-Z].*")
            .because("an accessor carries the name of what it returns")),

    /// The interpreter's processor is apart: the operations that change it at every instruction lie in packages
    /// next to its own, which no other module sees.
    NO_PUBLIC_MUTABLE_FIELDS(noFields()
            .that()
            .areNotFinal()
            .and()
            .areNotDeclaredIn("org.jvirt.engine.soft.cpu.Cpu")
            .and()
            .areDeclaredInClassesThat()
            .arePublic()
            .should()
            .bePublic()
            .because("state has one owner"));

    private final ArchRule rule;

    CodeRules(ArchRule rule) {
        this.rule = rule;
    }

    ArchRule rule() {
        return rule;
    }

    private static DescribedPredicate<JavaClass> outside(JvirtModule module) {
        return not(module.classes()).as("are outside " + module.mainPackage());
    }

    /// The restricted methods of the JDK's API documentation, less those that only touch module layers.
    private static DescribedPredicate<JavaAccess<?>> isRestricted() {
        return isOneOf(
                "a restricted method",
                Map.of(
                        Linker.class, List.of("nativeLinker", "downcallHandle", "upcallStub"),
                        MemorySegment.class, List.of("reinterpret"),
                        SymbolLookup.class, List.of("libraryLookup"),
                        AddressLayout.class, List.of("withTargetLayout"),
                        System.class, List.of("load", "loadLibrary"),
                        Runtime.class, List.of("load", "loadLibrary")));
    }

    private static DescribedPredicate<JavaAccess<?>> isOneOf(String description, Map<Class<?>, List<String>> members) {
        return describe(
                description,
                access -> members.entrySet().stream()
                        .anyMatch(entry -> access.getTargetOwner().isEquivalentTo(entry.getKey())
                                && entry.getValue().contains(access.getName())));
    }

    private static DescribedPredicate<JavaClass> areInPackages(String... packages) {
        return describe(
                "are in one of " + Arrays.toString(packages),
                type -> Arrays.stream(packages).anyMatch(each -> (type.getPackageName() + ".").startsWith(each + ".")));
    }

    private static boolean printsStackTrace(JavaAccess<?> access) {
        return access instanceof JavaMethodCall call
                && call.getName().equals("printStackTrace")
                && call.getTarget().getRawParameterTypes().isEmpty();
    }

    private static boolean isOwnName(JavaMethod method) {
        JavaClass owner = method.getOwner();
        return Stream.of(owner.getAllRawSuperclasses(), owner.getAllRawInterfaces())
                .flatMap(types -> types.stream())
                .filter(type -> JvirtModule.of(type).isEmpty())
                .flatMap(type -> type.getMethods().stream())
                .noneMatch(inherited -> inherited.getName().equals(method.getName()));
    }
}
