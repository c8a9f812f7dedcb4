package org.jvirt.testkit.contract;

import java.lang.reflect.Method;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.opentest4j.TestAbortedException;

/// Skips the contracts that an engine is exempt from, with the reason.
final class ExemptionExtension implements InvocationInterceptor {
    @Override
    public void interceptTestMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> method, ExtensionContext context)
            throws Throwable {
        var contract = (HypervisorContract) context.getRequiredTestInstance();
        String kind = method.getTargetClass().getSimpleName();
        String name = method.getExecutable().getName();
        Exemptions exemptions = contract.suite().exemptions();
        Optional<String> reason = exemptions.of(kind, name);
        if (reason.isEmpty()) {
            invocation.proceed();
            return;
        }
        if (!exemptions.proven()) {
            invocation.skip();
            throw new TestAbortedException(reason.get());
        }
        try {
            invocation.proceed();
        } catch (Throwable failure) {
            throw new TestAbortedException(reason.get(), failure);
        }
        throw new AssertionError(
                "%s.%s is kept here: take it off the list of exemptions (\"%s\")".formatted(kind, name, reason.get()));
    }
}
