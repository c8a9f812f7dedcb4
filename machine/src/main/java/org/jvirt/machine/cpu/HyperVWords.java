package org.jvirt.machine.cpu;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jvirt.core.UserErrorException;

/// The words that ask for Hyper-V's enlightenments, which Windows looks for: `hyperv`, and those with which QEMU's
/// users name them one by one. An engine has one set of them, so each such word asks for the whole set.
///
/// Source: QEMU, `docs/system/i386/hyperv.rst`.
final class HyperVWords {
    private static final String WHOLE_SET = "hyperv";
    private static final String SPINLOCKS = "hv-spinlocks";
    private static final Set<String> ONE_BY_ONE = Set.of(
            "hv-passthrough",
            "hv-relaxed",
            "hv-vapic",
            SPINLOCKS,
            "hv-vpindex",
            "hv-runtime",
            "hv-crash",
            "hv-time",
            "hv-synic",
            "hv-stimer",
            "hv-stimer-direct",
            "hv-tlbflush",
            "hv-tlbflush-ext",
            "hv-ipi",
            "hv-reset",
            "hv-frequencies",
            "hv-reenlightenment",
            "hv-avic",
            "hv-apicv",
            "hv-xmm-input");

    private HyperVWords() {}

    /// @param part a word behind the model: `+hyperv`, `hv_time`, `hv-spinlocks=0x1fff`
    static boolean isOne(String part) {
        String name = name(part);
        return name.equals(WHOLE_SET) || ONE_BY_ONE.contains(name);
    }

    /// Whether the words of `parts`, of which the others do not count, ask for the set. `hyperv` overrides what was
    /// said before it; one that is switched off by itself stays in the set.
    static boolean askFor(List<String> parts) {
        boolean asked = false;
        for (String part : parts) {
            if (isOne(part)) {
                boolean on = isOn(part);
                asked = name(part).equals(WHOLE_SET) ? on : asked || on;
            }
        }
        return asked;
    }

    private static String name(String part) {
        String bare = part.startsWith("+") || part.startsWith("-") ? part.substring(1) : part;
        int equals = bare.indexOf('=');
        return (equals < 0 ? bare : bare.substring(0, equals))
                .toLowerCase(Locale.ROOT)
                .replace('_', '-');
    }

    private static boolean isOn(String part) {
        int equals = part.indexOf('=');
        if (equals < 0) {
            return !part.startsWith("-");
        }
        String value = part.substring(equals + 1);
        if (name(part).equals(SPINLOCKS)) {
            checkRetries(value);
            return true;
        }
        return CpuChoice.isOn(part, value);
    }

    /// How often a guest tries a lock before it tells the hypervisor; KVM has its own number.
    private static void checkRetries(String value) {
        try {
            var _ = Long.decode(value);
        } catch (NumberFormatException e) {
            throw new UserErrorException(
                    "CPU property '%s=%s' needs a number, such as 0x1fff".formatted(SPINLOCKS, value), e);
        }
    }
}
